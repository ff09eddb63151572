using System.Collections.Concurrent;
using System.Globalization;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Driving;

/// <summary>
/// All writes to a cluster with their outcomes, and the rules for the final content. For each key, the acknowledged write with the greatest stamp
/// must be shown, unless the shown write is one whose outcome is unknown to its caller. Thread-safe.
/// </summary>
sealed class History
{
    readonly ConcurrentQueue<Write> _writes = new();
    readonly ConcurrentDictionary<string, int> _outcomes = new();
    long _lastValue;

    public long Acknowledged => _writes.Count(write => write.Fate == Fate.Acknowledged);

    public IEnumerable<KeyValuePair<string, int>> Outcomes => _outcomes.OrderByDescending(outcome => outcome.Value);

    /// <summary>Returns a value that no other write has.</summary>
    public string NextValue(byte node) => $"n{node}-{Interlocked.Increment(ref _lastValue)}";

    /// <summary>Records a write of a raw document before it is sent. The value is <see langword="null"/> for a delete.</summary>
    public Write Begin(byte node, string key, string? value) => Begin(new Write(node, key, value, 0));

    /// <summary>Records an increment of a tally before it is sent.</summary>
    public Write BeginIncrement(byte node, long tally, int by) => Begin(new Write(node, string.Create(CultureInfo.InvariantCulture, $"tally {tally}"), null, by));

    public void End(Write write, Answer answer)
    {
        write.Stamp = answer.Stamp;
        write.Acknowledgers = answer.Acknowledged;
        write.Fate = answer switch
        {
            { IsDone: true, Stamp: 0 } => Fate.Refused,      // an update that found nothing to update
            { IsDone: true } => Fate.Acknowledged,
            { Error: "NotEnoughNodesException" } => Fate.Refused,
            _ => Fate.Unknown,
        };
        _outcomes.AddOrUpdate(answer.Error ?? "acknowledged", 1, (_, count) => count + 1);
    }

    /// <summary>
    /// Makes the fate of a node's writes since a given time unknown if no other node has acknowledged them, because the node's files were replaced
    /// by older ones.
    /// </summary>
    public void Excuse(byte node, long since)
    {
        foreach (var write in _writes)
        {
            if (write.Node == node && write.Ended >= since && write.Fate == Fate.Acknowledged && write.Acknowledgers.All(id => id == node))
                write.Fate = Fate.Unknown;
        }
    }

    /// <summary>Compares a node's final content with the history.</summary>
    /// <returns>A description of each difference.</returns>
    public IReadOnlyList<string> Check(byte node, SortedDictionary<string, string> content)
    {
        var wrong = new List<string>();
        foreach (var writes in _writes.GroupBy(write => write.Key))
        {
            content.TryGetValue(writes.Key, out string? shown);
            if (writes.First().Increment != 0)
                CheckCounter(node, writes, shown, wrong);
            else
                CheckValue(node, writes, shown, wrong);
        }
        return wrong;
    }

    Write Begin(Write write)
    {
        _writes.Enqueue(write);
        return write;
    }

    static void CheckCounter(byte node, IGrouping<string, Write> writes, string? shown, List<string> wrong)
    {
        long least = writes.Where(write => write.Fate == Fate.Acknowledged).Sum(write => (long)write.Increment);
        long most = least + writes.Where(write => write.Fate == Fate.Unknown).Sum(write => (long)write.Increment);
        if (!long.TryParse(shown, CultureInfo.InvariantCulture, out long count) || count < least || count > most)
            wrong.Add($"node {node} shows {shown ?? "nothing"} for {writes.Key}; it must be at least {least} (acknowledged) and at most {most} (acknowledged or unknown)");
    }

    static void CheckValue(byte node, IGrouping<string, Write> writes, string? shown, List<string> wrong)
    {
        var last = writes.Where(write => write.Fate == Fate.Acknowledged).MaxBy(write => write.Stamp);
        // Most unknown writes have no known stamp. An excused write has one, which still orders it.
        if (writes.Any(write => write.Fate == Fate.Unknown && write.Value == shown && (write.Stamp == 0 || write.Stamp > (last?.Stamp ?? 0))))
            return;
        if (last?.Value == shown)
            return;
        string expected = last is null ? "nothing" : $"{last.Value ?? "its delete"} of node {last.Node} (acknowledged by {string.Join(", ", last.Acknowledgers)})";
        string found = writes.FirstOrDefault(write => write.Value == shown && shown is not null)?.Fate switch
        {
            Fate.Refused => $"{shown}, which was refused",
            Fate.Acknowledged or Fate.Unknown => $"the older {shown}",
            _ => shown ?? "nothing",
        };
        wrong.Add($"node {node} shows {found} for {writes.Key} instead of {expected}");
    }
}

/// <summary>The outcome of a write, as known to its caller.</summary>
enum Fate
{
    /// <summary>No answer, or an uncertain one: the write may or may not show.</summary>
    Unknown,
    Acknowledged,

    /// <summary>A refused write, which must not show.</summary>
    Refused,
}

/// <summary>A write and its outcome.</summary>
sealed record Write(byte Node, string Key, string? Value, int Increment)
{
    Fate _fate;

    public ulong Stamp { get; set; }

    public int[] Acknowledgers { get; set; } = [];

    /// <summary>Gets the time when the fate became known, in ticks of <see cref="Environment.TickCount64"/>.</summary>
    public long Ended { get; private set; }

    public Fate Fate
    {
        get => _fate;
        set => (_fate, Ended) = (value, Environment.TickCount64);
    }
}
