using Datacake.Dashboard.Charts;
using Datacake.Dashboard.Formatting;

namespace Datacake.Dashboard.Tests;

/// <summary>Charts as coordinates and as texts.</summary>
public class ChartTests
{
    static readonly DateTimeOffset End = new(2026, 1, 2, 3, 4, 10, TimeSpan.Zero);

    [Fact]
    public void Line_fills_the_drawing_and_has_gaps_and_points()
    {
        var line = new ChartSeries("Saves", [0, 10, double.NaN, 5, double.NaN]);
        var chart = new Chart("saves", "Saves", ChartUnit.PerSecond, [line], End, TimeSpan.FromSeconds(2));

        Assert.Equal("M0 200L250 0M750 100h0.1", chart.PathOf(line));
    }

    [Theory]
    [InlineData((int)ChartUnit.PerSecond, 0, 1)]
    [InlineData((int)ChartUnit.PerSecond, 0.03, 0.04)]
    [InlineData((int)ChartUnit.PerSecond, 10, 10)]
    [InlineData((int)ChartUnit.PerSecond, 10.1, 20)]
    [InlineData((int)ChartUnit.PerSecond, 12345, 20000)]
    [InlineData((int)ChartUnit.Seconds, 0.0031, 0.004)]
    [InlineData((int)ChartUnit.BytesPerSecond, 3000, 4096)]
    [InlineData((int)ChartUnit.BytesPerSecond, 1023, 2000)]
    public void Axis_ends_at_a_round_number(int unit, double greatest, double expected)
    {
        var chart = new Chart("id", "Title", (ChartUnit)unit, [new ChartSeries("Line", [greatest])], End, TimeSpan.FromSeconds(2));

        Assert.Equal(expected, chart.Top, 1e-9);
    }

    [Fact]
    public void Summary_tells_the_content_and_an_empty_chart_says_so()
    {
        var chart = new Chart("id", "Saves", ChartUnit.PerSecond, [new ChartSeries("All", [1, 30, 2])], End, TimeSpan.FromSeconds(2));
        var empty = chart with { Series = [new ChartSeries("All", [0, double.NaN, 0])] };

        Assert.Equal("Saves in the last 6 s: All is now 2/s and was at most 30/s.", chart.Summarize());
        Assert.Equal("Saves: nothing in the last 6 s.", empty.Summarize());
        Assert.Equal([(End, 2.0), (End.AddSeconds(-2), 30), (End.AddSeconds(-4), 1)], chart.Rows().Select(static row => (row.Time, row.Values[0])));
    }

    [Fact]
    public void Longer_steps_have_the_mean_or_the_greatest_value()
    {
        float[] values = [1, 3, float.NaN, 5, float.NaN, float.NaN];

        Assert.Equal([2, 5, double.NaN], ChartSeries.Combine(values, 2, takesGreatest: false));
        Assert.Equal([3, 5, double.NaN], ChartSeries.Combine(values, 2, takesGreatest: true));
    }

    [Theory]
    [InlineData(0, "0 s")]
    [InlineData(0.0000004, "0.4 µs")]
    [InlineData(0.01234, "12.3 ms")]
    [InlineData(59, "59 s")]
    [InlineData(7199, "120 min")]
    [InlineData(90_000, "25 h")]
    public void Duration_has_three_digits_and_a_unit(double seconds, string expected) => Assert.Equal(expected, Shown.Duration(seconds));

    [Fact]
    public void Cut_text_does_not_end_within_a_character()
    {
        Assert.Equal("a😀", Shown.Cut("a😀", 3));
        Assert.Equal("a…", Shown.Cut("a😀b", 2));
    }
}
