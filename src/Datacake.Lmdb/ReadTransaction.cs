using System.Runtime.CompilerServices;
using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>A read transaction and its cursor, used again for the next snapshot. Whoever reads holds <see cref="Using"/>.</summary>
sealed unsafe class ReadTransaction(Engine engine, LmdbEnvironment environment, nint transaction, nint cursor, uint database) : IDisposable
{
    bool _hasCursor;   // It is of the moment that the transaction sees, and has no address of an earlier map.

    /// <summary>Held while the map is read, which has another address after it has grown.</summary>
    public Lock Using { get; } = new();

    /// <summary>Finds a key. The value is valid until <see cref="Using"/> is let go.</summary>
    [SkipLocalsInit]
    public bool TryGet(ReadOnlySpan<byte> key, out Value value)
    {
        environment.ThrowIfLost();
        value = default;
        // LMDB takes the beginning of a key that is too long for its own key.
        if (key.Length > WriteBatch.MaxKeyLength)
            return false;
        byte* buffer = stackalloc byte[StoredKey.MaxLength];
        return IsFound(engine.Get(transaction, database, StoredKey.OfEntry(key, buffer), out value));
    }

    /// <summary>
    /// Moves to a key, which costs little if it is on the page of the one before. The value is valid until <see cref="Using"/> is let go.
    /// </summary>
    public bool TryMoveTo(ReadOnlySpan<byte> key, out Value value)
    {
        environment.ThrowIfLost();
        return TrySeek(key, out Value found, out value) && StoredKey.TryGetEntryKey(found.Span, out ReadOnlySpan<byte> entryKey)
            && entryKey.SequenceEqual(key);
    }

    /// <summary>Moves to the first or last entry of a range. Key and value are valid until <see cref="Using"/> is let go.</summary>
    public bool TryMoveInto(in KeyRange range, ScanDirection direction, out Value key, out Value value)
    {
        environment.ThrowIfLost();
        if (direction == ScanDirection.Forward)
            return TrySeek(range.Start.Span, out key, out value);
        return (range.End is { } end ? TrySeek(end.Span, out key, out value) : TrySeekAboveEntries(out key, out value))
            ? TryMove(CursorOperation.Previous, out key, out value)
            : TryMove(CursorOperation.Last, out key, out value);
    }

    /// <summary>Moves to the next entry in a direction, inside the range or not.</summary>
    public bool TryMoveOn(ScanDirection direction, out Value key, out Value value) =>
        TryMove(direction == ScanDirection.Forward ? CursorOperation.Next : CursorOperation.Previous, out key, out value);

    /// <summary>Forgets where the cursor is: it has the address of a page.</summary>
    public void ForgetPlace() => _hasCursor = false;

    /// <summary>Lets the moment go that the transaction sees.</summary>
    public void Reset() => engine.TxnReset(transaction);

    /// <summary>Sees the present moment, after <see cref="Reset"/>.</summary>
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
    bool TrySeek(ReadOnlySpan<byte> least, out Value key, out Value value)
    {
        byte* buffer = stackalloc byte[StoredKey.MaxLength];
        return TrySeek(StoredKey.OfEntry(least, buffer), out key, out value);
    }

    bool TrySeekAboveEntries(out Value key, out Value value)
    {
        fixed (byte* bytes = StoredKey.AboveEntries)
            return TrySeek(new Value(bytes, StoredKey.AboveEntries.Length), out key, out value);
    }

    bool TrySeek(Value least, out Value key, out Value value)
    {
        if (!_hasCursor)
            environment.Check(engine.CursorRenew(transaction, cursor));
        _hasCursor = true;
        key = least;
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
