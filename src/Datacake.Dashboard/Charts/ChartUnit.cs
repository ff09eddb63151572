namespace Datacake.Dashboard.Charts;

/// <summary>The units of the values of a chart.</summary>
enum ChartUnit
{
    /// <summary>Operations per second.</summary>
    PerSecond,

    /// <summary>Bytes per second.</summary>
    BytesPerSecond,

    /// <summary>Durations in seconds.</summary>
    Seconds,
}
