using System.Globalization;
using System.Runtime.CompilerServices;

namespace Datacake.Rpc.Contracts;

/// <summary>The allowed range of the times in the options, which follows from the range of timers.</summary>
static class TimeRange
{
    /// <summary>The shortest time that timers can distinguish from zero.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(1);

    /// <summary>The longest time that an option may have. Timers are limited to 49.7 days, and some times are multiplied.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    /// <exception cref="ArgumentOutOfRangeException">The time is out of range.</exception>
    public static void Check(
        TimeSpan value, TimeSpan min, bool mayBeInfinite = false, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if ((value >= min && value <= Longest) || (mayBeInfinite && value == Timeout.InfiniteTimeSpan))
            return;
        var orInfinite = mayBeInfinite ? ", or Timeout.InfiniteTimeSpan" : "";
        throw new ArgumentOutOfRangeException(
            name,
            value,
            string.Create(CultureInfo.InvariantCulture, $"{name} must be from {min} to {Longest.TotalDays} days{orInfinite}."));
    }

    /// <summary>Returns the time, or as much of it as one timer can count. The caller then waits for the rest separately.</summary>
    public static TimeSpan ForOneTimer(TimeSpan time) => time < Longest ? time : Longest;

    /// <summary>Returns true if a call with this time limit has no time left before it begins.</summary>
    public static bool IsOver(TimeSpan timeout) => timeout <= TimeSpan.Zero && timeout != Timeout.InfiniteTimeSpan;
}
