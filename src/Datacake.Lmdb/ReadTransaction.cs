using System.Runtime.CompilerServices;
using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>A reusable read transaction with its cursor. The caller holds <see cref="Using"/> during a read.</summary>
sealed unsafe class ReadTransaction(Engine engine, LmdbEnvironment environment, nint transaction, nint cursor, uint database) : IDisposable
{
    bool _hasCursor;   // True if the cursor belongs to the current state of the transaction and holds no address of an earlier map.

    /// <summary>Gets the lock that is held while the map is read. The address of the map changes when it grows.</summary>
    public Lock Using { get; } = new();

    /// <summary>Finds a key. The value is valid until <see cref="Using"/> is released.</summary>
    [SkipLocalsInit]
    public bool TryGet(ReadOnlySpan<byte> key, out Value value)
    {
        environment.ThrowIfLost();
        value = default;
        // A longer key would be cut off, and could then match a different entry.
        if (key.Length > WriteBatch.MaxKeyLength)
            return false;
        byte* buffer = stackalloc byte[StoredKey.MaxLength];
        return IsFound(engine.Get(transaction, database, StoredKey.OfEntry(key, buffer), out value));
    }

    /// <summary>
    /// Moves to a key. This is fast if the key is on the same page as the previous one. The value is valid until <see cref="Using"/> is
    /// released.
    /// </summary>
    public bool TryMoveTo(ReadOnlySpan<byte> key, out Value value)
    {
        environment.ThrowIfLost();
        return TrySeek(key, out Value found, out value) && StoredKey.TryGetEntryKey(found.Span, out ReadOnlySpan<byte> entryKey)
            && entryKey.SequenceEqual(key);
    }

    /// <summary>Moves to the first or last entry of a range. Key and value are valid until <see cref="Using"/> is released.</summary>
    public bool TryMoveInto(in KeyRange range, ScanDirection direction, out Value key, out Value value)
    {
        environment.ThrowIfLost();
        if (direction == ScanDirection.Forward)
            return TrySeek(range.Start.Span, out key, out value);
        return (range.End is { } end ? TrySeek(end.Span, out key, out value) : TrySeekAboveEntries(out key, out value))
            ? TryMove(CursorOperation.Previous, out key, out value)
            : TryMove(CursorOperation.Last, out key, out value);
    }

    /// <summary>Moves to the next entry in a direction, even if it is outside the range.</summary>
    public bool TryMoveOn(ScanDirection direction, out Value key, out Value value) =>
        TryMove(direction == ScanDirection.Forward ? CursorOperation.Next : CursorOperation.Previous, out key, out value);

    /// <summary>Forgets the position of the cursor, which contains the address of a page.</summary>
    public void ForgetPlace() => _hasCursor = false;

    /// <summary>Releases the state that the transaction sees.</summary>
    public void Reset() => engine.TxnReset(transaction);

    /// <summary>Makes the transaction see the current state of the store, after <see cref="Reset"/>.</summary>
    public void Renew()
    {
        environment.Check(engine.TxnRenew(transaction));
        ForgetPlace();
    }

    public void Dispose()
    {
        engine.CursorClose(cursor);
        engine.TxnAbort(transaction);
    }

    /// <summary>Moves to the first entry that is not below a key.</summary>
    [SkipLocalsInit]
    bool TrySeek(ReadOnlySpan<byte> bound, out Value key, out Value value)
    {
        byte* buffer = stackalloc byte[StoredKey.MaxLength];
        return TrySeek(StoredKey.OfEntry(bound, buffer), out key, out value);
    }

    bool TrySeekAboveEntries(out Value key, out Value value)
    {
        fixed (byte* bytes = StoredKey.AboveEntries)
            return TrySeek(new Value(bytes, StoredKey.AboveEntries.Length), out key, out value);
    }

    bool TrySeek(Value bound, out Value key, out Value value)
    {
        if (!_hasCursor)
            environment.Check(engine.CursorRenew(transaction, cursor));
        _hasCursor = true;
        key = bound;
        value = default;
        return IsFound(engine.CursorGet(cursor, ref key, ref value, CursorOperation.SetRange));
    }

    bool TryMove(CursorOperation operation, out Value key, out Value value)
    {
        key = default;
        value = default;
        return IsFound(engine.CursorGet(cursor, ref key, ref value, operation));
    }

    bool IsFound(Result result)
    {
        if (result == Result.NotFound)
            return false;
        environment.Check(result);
        return true;
    }
}
