using System.Buffers;
using System.Text;
using System.Text.Json;
using Datacake.Benchmarks.Measuring;

namespace Datacake.Benchmarks.Reporting;

/// <summary>A machine-readable report with one line of JSON for each system of a cell.</summary>
sealed class JsonLines(TextWriter output)
{
    public void Write(CellResult result)
    {
        foreach (var measurement in result.Measurements)
            output.WriteLine(Format(measurement));
    }

    static string Format(Measurement measurement)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("system", measurement.System);
            json.WriteString("workload", measurement.Cell.Workload);
            json.WriteString("params", measurement.Cell.Parameters);
            json.WriteStartObject("ops_per_s");
            json.WriteNumber("min", Math.Round(measurement.Throughput.Min, 3));
            json.WriteNumber("median", Math.Round(measurement.Throughput.Median, 3));
            json.WriteNumber("max", Math.Round(measurement.Throughput.Max, 3));
            json.WriteEndObject();
            json.WriteNumber("p50_us", Math.Round(measurement.P50Microseconds, 3));
            json.WriteNumber("p99_us", Math.Round(measurement.P99Microseconds, 3));
            json.WriteNumber("cpu_us_per_op", Math.Round(measurement.CpuMicrosecondsPerItem, 3));
            json.WriteNumber("alloc_bytes_per_op", Math.Round(measurement.AllocatedBytesPerItem, 1));
            if (measurement.WireBytesPerOperation is { } wireBytes)
                json.WriteNumber("bytes_on_wire", Math.Round(wireBytes, 1));
            else
                json.WriteNull("bytes_on_wire");
            if (measurement.KeptBytesPerItem is { } keptBytes)
                json.WriteNumber("kept_bytes_per_op", Math.Round(keptBytes, 1));
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }
}
