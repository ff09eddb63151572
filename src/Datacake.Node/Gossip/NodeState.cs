using System.Diagnostics.CodeAnalysis;

namespace Datacake.Node.Gossip;

/// <summary>
/// The state of one node as this node knows it: its heartbeat, and all its entries up to a version. The pair (greatest collected version,
/// greatest version) never decreases in lexicographic order. The rules are those of Scuttlebutt reconciliation (van Renesse et al., 2008),
/// with chitchat's collection of tombstones.
/// </summary>
sealed class NodeState(GossipId id, TimeProvider time)
{
    readonly Dictionary<string, NodeEntry> _entries = [];
    bool _hasLived;

    public GossipId Id => id;

    /// <summary>
    /// True if only the identity of the node is known, but no sign of life and no entry. An existing node is a rumor for a few rounds at
    /// most.
    /// </summary>
    public bool IsRumor => MaxVersion == 0 && !_hasLived;

    /// <summary>Gets the heartbeat, which counts the owner's signs of life; 0 while none is known.</summary>
    public ulong Heartbeat { get; private set; }

    /// <summary>Gets the version up to which all entries are known.</summary>
    public ulong MaxVersion { get; private set; }

    /// <summary>Gets the greatest version of a tombstone that was collected, either here or on the node that the state came from.</summary>
    public ulong LastGcVersion { get; private set; }

    /// <summary>Gets a number that grows with every change of the entries, so that readers can detect changes cheaply.</summary>
    public int Revision { get; private set; }

    public DigestEntry ToDigestEntry() => new(id, Heartbeat, LastGcVersion, MaxVersion);

    /// <summary>Gets the value of a key. Returns false if the key is not visible.</summary>
    public bool TryGet(string key, [NotNullWhen(true)] out string? value)
    {
        value = _entries.TryGetValue(key, out var entry) && entry.IsVisible ? entry.Value : null;
        return value is not null;
    }

    /// <summary>Gets all visible keys with their values, in no particular order.</summary>
    public IEnumerable<KeyValuePair<string, string>> Visible
        => _entries.Where(entry => entry.Value.IsVisible).Select(entry => KeyValuePair.Create(entry.Key, entry.Value.Value));

    /// <summary>
    /// Sets a key of this process's own node. Setting the current value again changes nothing, unless the entry is to expire.
    /// </summary>
    public void Set(string key, string value, EntryStatus status = EntryStatus.Set)
    {
        if (status == EntryStatus.Set && _entries.TryGetValue(key, out var present)
            && present.Status == EntryStatus.Set && present.Value == value)
            return;
        _entries[key] = new NodeEntry(value, ++MaxVersion, status, time.GetTimestamp());
        Revision++;
    }

    /// <summary>Deletes a key of this process's own node. Does nothing if the key does not exist.</summary>
    public void Delete(string key)
    {
        if (_entries.TryGetValue(key, out var present) && present.Status != EntryStatus.Deleted)
            Set(key, "", EntryStatus.Deleted);
    }

    public void Beat() => Heartbeat++;

    /// <summary>
    /// Records a heartbeat. Returns true if it is a sign of life. The first known heartbeat is not, because it can be of any age.
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

    /// <summary>Returns the version after which a peer lacks entries; 0 if the peer needs the whole state.</summary>
    /// <param name="known">The peer's knowledge about the node.</param>
    public ulong MissingFrom(DigestEntry known)
    {
        var knowsWhatWasCollected = known.LastGcVersion >= LastGcVersion || known.MaxVersion >= LastGcVersion;
        return knowsWhatWasCollected ? known.MaxVersion : 0;
    }

    public int CountAbove(ulong version) => _entries.Values.Count(entry => entry.Version > version);

    /// <summary>Returns the entries above a version, including tombstones, in ascending order of their versions.</summary>
    public IEnumerable<DeltaEntry> EntriesAbove(ulong version) => _entries
        .Where(entry => entry.Value.Version > version)
        .OrderBy(entry => entry.Value.Version)
        .Select(entry => new DeltaEntry(entry.Key, entry.Value.Value, entry.Value.Version, entry.Value.Status));

    /// <summary>Applies a section of a delta. A section that leaves a gap or contains nothing new is ignored.</summary>
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
            // The sender has collected tombstones of keys that may still exist here, so only its whole state can be applied. Entries on top
            // of the present ones would leave a deleted key in place forever, because nothing is left that says it is deleted. The heartbeat
            // starts over as well, as in chitchat.
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

    /// <summary>Removes the tombstones and the expiring entries that have reached an age.</summary>
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
