using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>
/// The records of the sequence in a store: its state, and the entries above the base. Changes are added to a batch, and are flushed with it.
/// </summary>
sealed class SequenceLog
{
    readonly List<SequenceEntry> _entries;      // Base + 1, ...
    SequenceState _state;
    SequenceState _stored;
    ulong _storedLast;
    ulong _firstChanged;                        // the lowest index whose entry is not stored as it is here

    SequenceLog(SequenceState state, List<SequenceEntry> entries)
    {
        _state = _stored = state;
        _entries = entries;
        _storedLast = Last;
        _firstChanged = Last + 1;
    }

    /// <summary>Gets or sets the state.</summary>
    public SequenceState State
    {
        get => _state;
        set => _state = value;
    }

    /// <summary>Gets the state that is flushed.</summary>
    public SequenceState Stored => _stored;

    /// <summary>Gets the index of the last entry.</summary>
    public ulong Last => _state.Base + (ulong)_entries.Count;

    /// <summary>Gets the index up to which all entries are flushed.</summary>
    public ulong StoredLast => Math.Min(Math.Min(_storedLast, _firstChanged - 1), Last);

    /// <summary>Gets the epoch of the last entry.</summary>
    public ulong LastEpoch => EpochAt(Last);

    /// <summary>Gets the voters of the newest configuration, which counts from the moment it is appended [S9].</summary>
    public IReadOnlyList<Voter> Voters => _entries.FindLast(static entry => entry.Kind == SequenceEntryKind.Voters)?.Voters ?? _state.BaseVoters;

    /// <summary>Gets the index of the last entry that changes the voters; 0 if there is none above the base.</summary>
    public ulong LastVoters => _entries.FindLastIndex(static entry => entry.Kind == SequenceEntryKind.Voters) is >= 0 and var last ? _state.Base + (ulong)last + 1 : 0;

    /// <summary>Gets the voters of the configuration before the newest one; those of the newest one if it is part of the base.</summary>
    public IReadOnlyList<Voter> PreviousVoters =>
        _entries.Where(static entry => entry.Kind == SequenceEntryKind.Voters).SkipLast(1).LastOrDefault()?.Voters ?? (LastVoters == 0 ? Voters : _state.BaseVoters);

    /// <summary>True if the store was restored, and so has forgotten what it has told others. Its records are cleared by the next batch [S9].</summary>
    public bool IsForgotten { get; private set; }

    /// <summary>Gets the length of the entries, in bytes.</summary>
    public long Length { get; private set; }

    public SequenceEntry this[ulong index] => _entries[(int)(index - _state.Base) - 1];

    /// <summary>Reads the sequence of a store. That of a restored store is empty.</summary>
    /// <exception cref="InvalidDataException">The records are damaged.</exception>
    public static async ValueTask<SequenceLog> LoadAsync(IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        var state = await snapshot.GetAsync(StoreLayout.SequenceKey, cancellationToken).ConfigureAwait(false) is { } stored ? SequenceState.Decode(stored) : SequenceState.None;
        var entries = new List<SequenceEntry>();
        await foreach (var (key, value) in snapshot.ReadAllAsync(StoreLayout.AllSequenceEntries, cancellationToken).ConfigureAwait(false))
        {
            ulong index = StoreLayout.IndexOfSequenceEntry(key.Span);
            if (index != state.Base + (ulong)entries.Count + 1)
                throw new InvalidDataException($"The sequence has the entry {index} after {state.Base + (ulong)entries.Count}.");
            entries.Add(SequenceEntry.Decode(value));
        }
        var log = new SequenceLog(state, entries);
        log.Length = entries.Sum(static entry => (long)entry.Encoded.Length);
        if (await snapshot.GetAsync(StoreLayout.RestoredKey, cancellationToken).ConfigureAwait(false) is not null)
        {
            var identity = await snapshot.GetAsync(StoreLayout.IdentityKey, cancellationToken).ConfigureAwait(false);
            log.IsForgotten = true;
            log.Clear(state.MayFound || (identity is { } bytes && IsOnlyVoter(ReplicaIdentity.Decode(bytes), log)));
        }
        return log;
    }

    /// <summary>Returns true if a store is the only voter, or is about to become it, as the store that has formed the cluster.</summary>
    static bool IsOnlyVoter(ReplicaIdentity identity, SequenceLog log) => log.Voters is [var only]
        ? only == new Voter(identity.StoreId, log.State.Life)
        : log.Voters.Count == 0 && log.State == SequenceState.None && identity.Cluster == identity.StoreId;

    /// <summary>Returns the epoch of an entry, which may be the one at the base.</summary>
    public ulong EpochAt(ulong index) => index == _state.Base ? _state.BaseEpoch : this[index].Epoch;

    /// <summary>Appends an entry.</summary>
    public void Append(SequenceEntry entry)
    {
        _entries.Add(entry);
        Length += entry.Encoded.Length;
        _firstChanged = Math.Min(_firstChanged, Last);
    }

    /// <summary>Removes the entries from an index on, which contradict those of the sequencer.</summary>
    public void RemoveFrom(ulong index)
    {
        int kept = (int)(index - _state.Base) - 1;
        for (int i = kept; i < _entries.Count; i++)
            Length -= _entries[i].Encoded.Length;
        _entries.RemoveRange(kept, _entries.Count - kept);
        _firstChanged = Math.Min(_firstChanged, index);
    }

    /// <summary>Drops the entries up to an index, whose effects the store has [S6].</summary>
    public void DropUpTo(ulong index, Crdt.VersionVector token)
    {
        int count = (int)(index - _state.Base);
        var dropped = _entries.GetRange(0, count);
        Length -= dropped.Sum(static entry => (long)entry.Encoded.Length);
        _entries.RemoveRange(0, count);
        _state = _state with
        {
            Base = index,
            BaseEpoch = dropped[^1].Epoch,
            BaseVoters = dropped.FindLast(static entry => entry.Kind == SequenceEntryKind.Voters)?.Voters ?? _state.BaseVoters,
            Token = token,
        };
    }

    /// <summary>Takes over a base that is ahead of the entries here, or contradicts them.</summary>
    public void TakeOver(ulong index, ulong epoch, IReadOnlyList<Voter> voters, Crdt.VersionVector token)
    {
        _entries.Clear();
        Length = 0;
        _firstChanged = Math.Min(_firstChanged, index + 1);
        _state = _state with { Base = index, BaseEpoch = epoch, BaseVoters = voters, Token = token };
    }

    /// <summary>Begins another life of the records, in which nothing is known of the sequence: the store is no voter, whatever it was [S9].</summary>
    /// <param name="mayFound">True if the store was the only voter.</param>
    public void Clear(bool mayFound)
    {
        _entries.Clear();
        Length = 0;
        _firstChanged = 1;
        _state = SequenceState.None with { Limit = _state.Limit, Founding = _state.Founding, Life = _state.Life, MayFound = mayFound };
    }

    /// <summary>Adds what has changed since the last commit to a batch, which is then flushed.</summary>
    public void WriteTo(ReplicaBatch batch)
    {
        bool isChanged = !ReferenceEquals(_state, _stored) || _firstChanged <= Math.Max(_storedLast, Last);
        if (!isChanged)
            return;
        // A base that is lost together with the effects costs nothing: the entries are still there, and are applied again. But what decides, and effects
        // whose entries were never stored, must be flushed.
        bool isBaseOnly = _state.Epoch == _stored.Epoch && _state.Vote == _stored.Vote && _state.Limit == _stored.Limit
            && _firstChanged > Math.Max(_storedLast, Last) && _state.Base <= _storedLast;
        batch.MustFlush |= !isBaseOnly;
        if (!ReferenceEquals(_state, _stored))
            batch.Extra.Put(StoreLayout.SequenceKey, _state.Encode());
        if (IsForgotten)
            batch.Extra.Delete(StoreLayout.RestoredKey);
        for (ulong index = _stored.Base + 1; index <= _storedLast; index++)
        {
            if (index <= _state.Base || index > Last)
                batch.Extra.Delete(StoreLayout.SequenceEntryKey(index));
        }
        for (ulong index = Math.Max(_firstChanged, _state.Base + 1); index <= Last; index++)
            batch.Extra.Put(StoreLayout.SequenceEntryKey(index), this[index].Encoded);
    }

    /// <summary>Notes that everything is flushed.</summary>
    public void OnCommitted()
    {
        _stored = _state;
        _storedLast = Last;
        _firstChanged = Last + 1;
        IsForgotten = false;
    }
}
