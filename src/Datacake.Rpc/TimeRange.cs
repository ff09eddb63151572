using System.Globalization;
using System.Runtime.CompilerServices;

namespace Datacake.Rpc;

/// <summary>The range of the times in the options: what timers can count.</summary>
static class TimeRange
{
    /// <summary>The shortest time that timers tell from none.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    /// <summary>The longest time of an option. Timers end at 49.7 days, and some times are multiplied.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    /// <exception cref="ArgumentOutOfRangeException">The time is out of range.</exception>
    public static void Check(
        TimeSpan value, TimeSpan least, bool mayBeInfinite = false, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if ((value >= least && value <= Longest) || (mayBeInfinite && value == Timeout.InfiniteTimeSpan))
            return;
        var orInfinite = mayBeInfinite ? ", or Timeout.InfiniteTimeSpan" : "";
        throw new ArgumentOutOfRangeException(
            name,
            value,
            string.Create(CultureInfo.InvariantCulture, $"{name} must be from {least} to {Longest.TotalDays} days{orInfinite}."));
    }

    /// <summary>The time, or as much of it as one timer can count. The caller waits for the rest afterwards.</summary>
    public static TimeSpan ForOneTimer(TimeSpan time) => time < Longest ? time : Longest;

    /// <summary>True if a call with this time limit has no time left before it begins.</summary>
    public static bool IsOver(TimeSpan timeout) => timeout <= TimeSpan.Zero && timeout != Timeout.InfiniteTimeSpan;
}
