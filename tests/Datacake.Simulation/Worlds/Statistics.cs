using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Scenarios;

namespace Datacake.Simulation.Worlds;

/// <summary>Counts of the events in simulated clusters.</summary>
sealed class Statistics
{
    readonly long[] _events = new long[Enum.GetValues<EventKind>().Length];
    readonly SortedDictionary<string, long> _messages = new(StringComparer.Ordinal);
    readonly SortedDictionary<string, long> _incidents = new(StringComparer.Ordinal);

    public long Batches { get; private set; }

    public long Events => _events.Sum();

    public long Messages => _messages.Values.Sum();

    public void Count(EventKind kind) => _events[(int)kind]++;

    public void Count(string incident) => Count(incident, 1);

    public void Count(string incident, long count) => _incidents[incident] = _incidents.GetValueOrDefault(incident) + count;

    public void Count(ReplicaMessage message)
    {
        string name = message.GetType().Name;
        _messages[name] = _messages.GetValueOrDefault(name) + 1;
    }

    public void CountBatch() => Batches++;

    public void Add(Statistics other)
    {
        for (int i = 0; i < _events.Length; i++)
            _events[i] += other._events[i];
        foreach (var (name, count) in other._messages)
            _messages[name] = _messages.GetValueOrDefault(name) + count;
        foreach (var (name, count) in other._incidents)
            Count(name, count);
        Batches += other.Batches;
    }

    public IEnumerable<string> Describe()
    {
        yield return "events:    " + string.Join(", ", Enum.GetValues<EventKind>().Select(kind => $"{kind} {_events[(int)kind]:N0}"));
        yield return "messages:  " + string.Join(", ", _messages.Select(message => $"{message.Key} {message.Value:N0}"));
        yield return "incidents: " + string.Join(", ", _incidents.Select(incident => $"{incident.Key} {incident.Value:N0}"));
    }
}
