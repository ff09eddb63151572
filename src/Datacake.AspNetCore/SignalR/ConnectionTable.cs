namespace Datacake.AspNetCore.SignalR;

/// <summary>Sets of connections by name, such as the groups. A set exists while it has connections. Thread-safe.</summary>
sealed class ConnectionTable
{
    readonly Lock _lock = new();
    readonly Dictionary<string, Entry> _sets = new(StringComparer.Ordinal);     // under the lock

    sealed class Entry
    {
        public HashSet<LocalConnection> Connections { get; } = [];

        /// <summary>Gets or sets the connections as an array, which readers enumerate without the lock; null after a change.</summary>
        public LocalConnection[]? Snapshot { get; set; }
    }

    public void Add(string name, LocalConnection connection)
    {
        lock (_lock)
        {
            if (!_sets.TryGetValue(name, out var entry))
                _sets.Add(name, entry = new Entry());
            if (entry.Connections.Add(connection))
                entry.Snapshot = null;
        }
    }

    public void Remove(string name, LocalConnection connection)
    {
        lock (_lock)
        {
            if (!_sets.TryGetValue(name, out var entry) || !entry.Connections.Remove(connection))
                return;
            entry.Snapshot = null;
            if (entry.Connections.Count == 0)
                _sets.Remove(name);
        }
    }

    /// <summary>Returns the connections of a set, which is empty if there is none.</summary>
    public LocalConnection[] Of(string name)
    {
        lock (_lock)
            return _sets.TryGetValue(name, out var entry) ? entry.Snapshot ??= [.. entry.Connections] : [];
    }
}
