using Datacake.Tests;

namespace Datacake.EventualConsistency.Tests.Sequencing;

/// <summary>The checker that the trials use finds the anomalies that are planted in a history, and none where there is none.</summary>
public sealed class SerializabilityCheckerTests
{
    int _time;

    [Fact]
    public void Serial_history_has_no_anomaly()
    {
        Assert.Empty(SerializabilityChecker.Check(
        [
            Next(1, Seen(("x", [])), "x"),
            Next(2, Seen(("x", [1]), ("y", [])), "y"),
            Next(3, Seen(("x", [1])), "x"),
            Next(4, Seen(("x", [1, 3]), ("y", [2]))),
        ]));
    }

    [Fact]
    public void Concurrent_transactions_may_be_in_any_order_that_explains_what_was_seen()
    {
        Assert.Empty(SerializabilityChecker.Check(
        [
            new(1, 0, 10, true, Seen(("x", [2])), ["x"]),
            new(2, 0, 10, true, Seen(("x", [])), ["x"]),
            new(3, 20, 21, true, Seen(("x", [2, 1])), []),
        ]));
    }

    [Fact]
    public void Lost_update_is_found()
    {
        AssertCycle(
        [
            new(1, 0, 10, true, Seen(("x", [])), ["x"]),
            new(2, 0, 10, true, Seen(("x", [])), ["x"]),
            new(3, 20, 21, true, Seen(("x", [1, 2])), []),
        ]);
    }

    [Fact]
    public void Write_skew_is_found()
    {
        AssertCycle(
        [
            new(1, 0, 10, true, Seen(("x", []), ("y", [])), ["x"]),
            new(2, 0, 10, true, Seen(("x", []), ("y", [])), ["y"]),
            new(3, 20, 21, true, Seen(("x", [1]), ("y", [2])), []),
        ]);
    }

    [Fact]
    public void Stale_read_is_found()
    {
        AssertCycle(
        [
            Next(1, Seen(("x", [])), "x"),
            Next(2, Seen(("x", []))),
            Next(3, Seen(("x", [1]))),
        ]);
    }

    [Fact]
    public void Reads_that_see_two_appends_in_different_orders_are_found()
    {
        AssertCycle(
        [
            new(1, 0, 10, true, Seen(), ["x"]),
            new(2, 0, 10, true, Seen(), ["y"]),
            new(3, 0, 10, true, Seen(("x", [1]), ("y", [])), []),
            new(4, 0, 10, true, Seen(("x", []), ("y", [2])), []),
            new(5, 20, 21, true, Seen(("x", [1]), ("y", [2])), []),
        ]);
    }

    [Fact]
    public void Refused_and_lost_and_repeated_appends_are_found()
    {
        var anomalies = SerializabilityChecker.Check(
        [
            new(1, 0, 10, false, Seen(), ["x"]),
            new(2, 0, 10, true, Seen(), ["x"]),
            new(3, 0, 10, true, Seen(), ["y"]),
            new(4, 20, 21, true, Seen(("x", [1]), ("y", [3, 3])), []),
        ]);
        Assert.Contains(anomalies, static anomaly => anomaly.Contains("transaction 1, which was refused", StringComparison.Ordinal));
        Assert.Contains(anomalies, static anomaly => anomaly.Contains("Transaction 2 was acknowledged, and is missing in list x", StringComparison.Ordinal));
        Assert.Contains(anomalies, static anomaly => anomaly.Contains("Transaction 3 is 2 times in list y", StringComparison.Ordinal));
    }

    [Fact]
    public void Append_whose_outcome_is_unknown_may_be_seen_or_not()
    {
        Assert.Empty(SerializabilityChecker.Check(
        [
            new(1, 0, long.MaxValue, null, Seen(("x", [])), ["x"]),
            new(2, 0, long.MaxValue, null, Seen(("x", [])), ["x"]),
            new(3, 20, 21, true, Seen(("x", [2])), []),
        ]));
    }

    static void AssertCycle(ListTransaction[] history) =>
        Assert.Contains("depend on each other", Assert.Single(SerializabilityChecker.Check(history)), StringComparison.Ordinal);

    ListTransaction Next(int id, IReadOnlyDictionary<string, IReadOnlyList<int>> seen, params string[] appends) => new(id, ++_time, ++_time, true, seen, appends);

    static Dictionary<string, IReadOnlyList<int>> Seen(params (string List, int[] Elements)[] lists) => lists.ToDictionary(static list => list.List, static list => (IReadOnlyList<int>)list.Elements);
}
