using System.Globalization;

namespace Datacake.Benchmarks.Reporting;

/// <summary>Figures as people read them.</summary>
static class Figures
{
    /// <summary>Three digits or all that are before the point.</summary>
    public static string Short(double figure) => figure.ToString(
        Math.Abs(figure) switch { >= 100 => "#,##0", >= 10 => "0.0", 0 => "0", < 0.1 => "0.0000", _ => "0.00" }, CultureInfo.InvariantCulture);
}
