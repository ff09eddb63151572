using System.Diagnostics.CodeAnalysis;

namespace Datacake.Node.Gossip;

/// <summary>
/// What is known here of one node: its heartbeat, and its entries up to a version, complete. The pair (greatest version, greatest collected
/// version) never decreases. The rules are those of scuttlebutt reconciliation (van Renesse et al., 2008) with chitchat's collection of
/// tombstones.
/// </summary>
sealed class NodeState(GossipId id, TimeProvider time)
{
    readonly Dictionary<string, NodeEntry> _entries = [];
    bool _hasLived;

    public GossipId Id => id;

    /// <summary>
    /// Nothing is known of it but its name: no sign of life, no entry. A node that is there does not stay so for longer than a few rounds.
    /// </summary>
    public bool IsRumor => MaxVersion == 0 && !_hasLived;

    /// <summary>Counts the owner's signs of life; 0 while none was heard of.</summary>
    public ulong Heartbeat { get; private set; }

    /// <summary>All entries up to this version are here.</summary>
    public ulong MaxVersion { get; private set; }

    /// <summary>The greatest version of a tombstone that was collected, here or at whom the state came from.</summary>
    public ulong LastGcVersion { get; private set; }

    /// <summary>Grows with every change of the entries: tells a reader cheaply whether to look again.</summary>
    public int Revision { get; private set; }

    public DigestEntry ToDigestEntry() => new(id, Heartbeat, LastGcVersion, MaxVersion);

    /// <summary>The value of a key, if it is visible.</summary>
    public bool TryGet(string key, [NotNullWhen(true)] out string? value)
    {
        value = _entries.TryGetValue(key, out var entry) && entry.IsVisible ? entry.Value : null;
        return value is not null;
    }

    /// <summary>All visible keys with their values, in no particular order.</summary>
    public IEnumerable<KeyValuePair<string, string>> Visible
        => _entries.Where(entry => entry.Value.IsVisible).Select(entry => KeyValuePair.Create(entry.Key, entry.Value.Value));

    /// <summary>Sets a key of the own node. The same value again is no change, unless the present one is on its way out.</summary>
    public void Set(string key, string value, EntryStatus status = EntryStatus.Set)
    {
        if (status == EntryStatus.Set && _entries.TryGetValue(key, out var present)
            && present.Status == EntryStatus.Set && present.Value == value)
            return;
        _entries[key] = new NodeEntry(value, ++MaxVersion, status, time.GetTimestamp());
        Revision++;
    }

    /// <summary>Deletes a key of the own node; a key that isn't there stays so.</summary>
    public void Delete(string key)
    {
        if (_entries.TryGetValue(key, out var present) && present.Status != EntryStatus.Deleted)
            Set(key, "", EntryStatus.Deleted);
    }

    public void Beat() => Heartbeat++;

    /// <summary>
    /// Takes note of a heartbeat. True if it is a sign of life: the first one heard of is not, since it can be of any age.
    /// </summary>
    public bool Observe(ulong heartbeat)
    {
        if (heartbeat <= Heartbeat)
            return false;
        var isFirst = Heartbeat == 0;
        Heartbeat = heartbeat;
        _hasLived |= !isFirst;
        return !isFirst;
    }

    /// <summary>From where a peer that knows this node so far has to be told.</summary>
    public ulong MissingFrom(DigestEntry known)
    {
        var knowsWhatWasCollected = known.LastGcVersion >= LastGcVersion || known.MaxVersion >= LastGcVersion;
        return knowsWhatWasCollected ? known.MaxVersion : 0;
    }

    public int CountAbove(ulong version) => _entries.Values.Count(entry => entry.Version > version);

    /// <summary>The entries above a version, tombstones included, in ascending version.</summary>
    public IEnumerable<DeltaEntry> EntriesAbove(ulong version) => _entries
        .Where(entry => entry.Value.Version > version)
        .OrderBy(entry => entry.Value.Version)
        .Select(entry => new DeltaEntry(entry.Key, entry.Value.Value, entry.Value.Version, entry.Value.Status));

    /// <summary>Takes over a section of a delta; one that leaves a gap, or brings nothing new, changes nothing.</summary>
    public void Apply(NodeDelta section)
    {
        if (section.FromVersionExcluded > MaxVersion)
            return;
        var isCompatible = section.LastGcVersion <= LastGcVersion || section.LastGcVersion <= MaxVersion;
        if (isCompatible)
        {
            if (section.MaxVersion <= MaxVersion)
                return;
        }
        else
        {
            // The sender has collected tombstones of keys that may still live here: only its whole state will do.
            if (section.FromVersionExcluded != 0 || section.MaxVersion == 0)
                return;
            _entries.Clear();
            Heartbeat = 0;
            MaxVersion = 0;
            LastGcVersion = section.LastGcVersion;
        }
        var start = MaxVersion;
        foreach (var entry in section.Entries)
        {
            if (entry.Version <= start || (entry.Status != EntryStatus.Set && entry.Version <= LastGcVersion))
                continue;
            if (!_entries.TryGetValue(entry.Key, out var present) || entry.Version > present.Version)
                _entries[entry.Key] = new NodeEntry(entry.Value, entry.Version, entry.Status, time.GetTimestamp());
        }
        MaxVersion = section.MaxVersion;
        Revision++;
    }

    /// <summary>Drops the tombstones, and the entries whose time has run out, of at least this age.</summary>
    public void Collect(TimeSpan age)
    {
        foreach (var (key, entry) in _entries)
        {
            if (entry.Status == EntryStatus.Set || time.GetElapsedTime(entry.Since) < age)
                continue;
            _entries.Remove(key);
            LastGcVersion = Math.Max(LastGcVersion, entry.Version);
            Revision++;
        }
    }
}
