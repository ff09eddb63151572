using System.Buffers;

namespace Datacake.Storage;

/// <summary>
/// A store in memory: a tree of which each snapshot shows one version, without a lock. Nothing survives the process, whatever the
/// <see cref="Durability"/>.
/// </summary>
/// <remarks>
/// A commit copies keys and values, so that the caller may reuse its memory afterwards. It changes the tree in place as far as no open
/// snapshot shows it, and copies the nodes on its way otherwise: dispose snapshots when they have served. Opening or disposing a snapshot
/// waits for the end of a commit under way, but only of one, and that takes a few milliseconds at most: large batches are worked on beside
/// what readers see. What a snapshot returns is the store's own memory, not a copy. An entry costs 30 to 70 bytes beside its key and value.
/// </remarks>
public sealed class MemoryStorage : IStorage
{
    // A larger batch copies whatever it changes, so that nobody waits for it; one copy of a node then mostly serves many operations.
    const int MaxOperationsInPlace = 4096;

    readonly Lock _committing = new();          // Taken before the gate.
    readonly Lock _gate = new();                // Guards all below; nothing that is shown changes outside of it.
    readonly ShownVersions _shown = new();
    MemoryTree? _tree = MemoryTree.Empty;       // null when there is none to read any more
    long _version;                              // of the tree
    Exception? _failure;                        // of a commit that left the tree half changed
    int _waiting;                               // Interlocked: who waits for a commit to leave the gate.

    /// <inheritdoc/>
    public string Description => "memory store";

    /// <inheritdoc/>
    public ValueTask<IStorageSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        EnterGate();
        try
        {
            var snapshot = new MemorySnapshot(this, Tree, _version);
            _shown.Add(_version);
            return new(snapshot);
        }
        finally
        {
            _gate.Exit();
        }
    }

    /// <inheritdoc/>
    public ValueTask CommitAsync(WriteBatch batch, Durability durability, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (_committing)
        {
            // Before the tree is touched: long values need the most memory, and if there is not enough, nothing has changed yet.
            byte[]?[] longValues = ArrayPool<byte[]?>.Shared.Rent(batch.Count);
            try
            {
                CopyLongValues(batch.Operations, longValues);
                // Who waits has waited for the last commit, and so does not for this one, however fast they follow each other.
                if (batch.Count <= MaxOperationsInPlace && Volatile.Read(ref _waiting) == 0)
                    CommitInPlace(batch.Operations, longValues);
                else
                    CommitBeside(batch.Operations, longValues);
            }
            finally
            {
                ArrayPool<byte[]?>.Shared.Return(longValues, clearArray: true);
            }
        }
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        lock (_committing)
            lock (_gate)
                _tree = null;
        return ValueTask.CompletedTask;
    }

    /// <summary>A snapshot is read no longer.</summary>
    internal void Release(long version)
    {
        EnterGate();
        _shown.Remove(version);
        _gate.Exit();
    }

    /// <summary>Enters the gate for a moment; only commits in place stay longer.</summary>
    void EnterGate()
    {
        if (_gate.TryEnter())
            return;
        Interlocked.Increment(ref _waiting);
        _gate.Enter();
        Interlocked.Decrement(ref _waiting);
    }

    MemoryTree Tree => _tree ?? throw (_failure is null
        ? new ObjectDisposedException(nameof(MemoryStorage))
        : new StorageException(
            StorageError.Failed,
            $"The {Description} failed in the midst of a commit, and is lost: {_failure.Message} Start the node again, with more memory if "
                + "that was short: it takes the data from its peers.",
            _failure));

    void CommitInPlace(ReadOnlySpan<WriteOperation> operations, ReadOnlySpan<byte[]?> longValues)
    {
        lock (_gate)
        {
            MemoryTree tree = Tree;
            try
            {
                _tree = Apply(tree, _shown.Newest, operations, longValues);
                _version++;
            }
            catch (Exception failure)
            {
                // Mostly for want of memory for a node: what is left of the tree is no version of it.
                _tree = null;
                _failure = failure;
                throw;
            }
        }
    }

    void CommitBeside(ReadOnlySpan<WriteOperation> operations, ReadOnlySpan<byte[]?> longValues)
    {
        // Nobody else changes what the gate guards, but for snapshots.
        MemoryTree tree = Apply(Tree, shown: _version, operations, longValues);
        lock (_gate)
        {
            _tree = tree;
            _version++;
        }
    }

    MemoryTree Apply(MemoryTree tree, long shown, ReadOnlySpan<WriteOperation> operations, ReadOnlySpan<byte[]?> longValues)
    {
        var editor = new MemoryTreeEditor(tree, _version + 1, shown);
        for (int i = 0; i < operations.Length; i++)
        {
            ReadOnlySpan<byte> key = operations[i].Key.Span;
            if (operations[i].Value is not { } value)
                editor.Delete(key);
            else if (longValues[i] is { } longValue)
                editor.Put(key, longValue);
            else
                editor.Put(key, value.Span);
        }
        return editor.Tree;
    }

    static void CopyLongValues(ReadOnlySpan<WriteOperation> operations, Span<byte[]?> longValues)
    {
        for (int i = 0; i < operations.Length; i++)
        {
            // Memory that its owner has taken back fails here, not in the midst of the changes.
            _ = operations[i].Key.Span;
            ReadOnlySpan<byte> value = operations[i].Value.GetValueOrDefault().Span;
            if (value.Length > MemoryBlock.MaxValueLength)
                longValues[i] = value.ToArray();
        }
    }
}
