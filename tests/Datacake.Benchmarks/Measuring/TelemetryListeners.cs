using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Datacake.Benchmarks.Measuring;

/// <summary>Listeners for all metrics and all spans of Datacake, as an exporter has them, which drop what they receive.</summary>
sealed class TelemetryListeners : IDisposable
{
    readonly MeterListener _metrics = new();
    readonly ActivityListener _spans = new()
    {
        ShouldListenTo = static source => source.Name.StartsWith("Datacake.", StringComparison.Ordinal),
        Sample = static (ref _) => ActivitySamplingResult.AllDataAndRecorded,
    };

    public TelemetryListeners()
    {
        _metrics.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name.StartsWith("Datacake.", StringComparison.Ordinal))
                listener.EnableMeasurementEvents(instrument);
        };
        _metrics.SetMeasurementEventCallback<long>(static (_, _, _, _) => { });
        _metrics.SetMeasurementEventCallback<int>(static (_, _, _, _) => { });
        _metrics.SetMeasurementEventCallback<double>(static (_, _, _, _) => { });
        _metrics.Start();
        ActivitySource.AddActivityListener(_spans);
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _spans.Dispose();
    }
}
