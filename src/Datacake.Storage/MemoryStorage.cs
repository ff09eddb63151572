using System.Buffers;

namespace Datacake.Storage;

/// <summary>
/// An in-memory store: a tree of which each snapshot reads one version without locking. Nothing survives the process, regardless of the
/// <see cref="Durability"/>.
/// </summary>
/// <remarks>
/// A commit copies keys and values, so the caller may reuse its memory afterwards. A commit changes nodes in place unless an open snapshot
/// can see them, and copies them otherwise, so dispose snapshots as soon as possible. Opening or disposing a snapshot waits for at most one
/// commit in progress, which takes a few milliseconds at most, because large batches are applied to copies. The memory that a snapshot
/// returns belongs to the store and is not a copy. An entry takes 30 to 70 bytes in addition to its key and value.
/// </remarks>
public sealed class MemoryStorage : IStorage
{
    // A larger batch copies the nodes that it changes, so that no snapshot has to wait for it. One copy of a node then usually serves many
    // operations.
    const int MaxOperationsInPlace = 4096;

    readonly Lock _committing = new();          // Taken before the gate.
    readonly Lock _gate = new();                // Guards the fields below. Nodes of the current tree change only while it is held.
    readonly ShownVersions _shown = new();
    MemoryTree? _tree = MemoryTree.Empty;       // Null once the store is disposed or lost.
    long _version;                              // The version of the tree.
    Exception? _failure;                        // The failure of a commit that left the tree inconsistent.
    int _waiting;                               // Interlocked: the number of threads that wait for a commit to leave the gate.

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
            // Long values need the most memory. Copying them first means that running out of memory here leaves the tree unchanged.
            byte[]?[] longValues = ArrayPool<byte[]?>.Shared.Rent(batch.Count);
            try
            {
                CopyLongValues(batch.Operations, longValues);
                // A waiting thread has already waited for the previous commit. It must not wait for this one too, even if commits follow
                // each other without a pause.
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

    /// <summary>Releases the version of a snapshot that is no longer read.</summary>
    internal void Release(long version)
    {
        EnterGate();
        _shown.Remove(version);
        _gate.Exit();
    }

    /// <summary>Enters the gate for a short time. Only in-place commits hold the gate longer.</summary>
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
            $"A commit failed halfway, and the contents of the {Description} are lost: {_failure.Message} Restart the node, with more memory "
                + "if it ran out. It fetches the data from its peers.",
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
                // Most likely there was no memory for a node. The tree is only partially changed and therefore not a valid version.
                _tree = null;
                _failure = failure;
                throw;
            }
        }
    }

    void CommitBeside(ReadOnlySpan<WriteOperation> operations, ReadOnlySpan<byte[]?> longValues)
    {
        // The commit lock is held, so only snapshots can change the guarded fields meanwhile, and they do not change the tree.
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
            // Memory whose owner has been disposed fails here, not halfway through the changes.
            _ = operations[i].Key.Span;
            ReadOnlySpan<byte> value = operations[i].Value.GetValueOrDefault().Span;
            if (value.Length > MemoryBlock.MaxValueLength)
                longValues[i] = value.ToArray();
        }
    }
}
