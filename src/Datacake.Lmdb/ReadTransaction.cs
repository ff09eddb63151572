using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>A read transaction and its cursor, used again for the next snapshot. Whoever reads holds <see cref="Using"/>.</summary>
sealed unsafe class ReadTransaction(Engine engine, LmdbEnvironment environment, nint transaction, nint cursor, uint database) : IDisposable
{
    /// <summary>Held while the map is read, which has another address after it has grown.</summary>
    public Lock Using { get; } = new();

    /// <summary>Finds a key. The value is valid until <see cref="Using"/> is let go.</summary>
    public bool TryGet(ReadOnlySpan<byte> key, out Value value)
    {
        environment.ThrowIfLost();
        value = default;
        // LMDB takes the beginning of a key that is too long for its own key.
        if (key.Length > WriteBatch.MaxKeyLength)
            return false;
        var storedKey = StoredKey.OfEntry(key);
        fixed (byte* bytes = storedKey.Bytes)
            return IsFound(engine.Get(transaction, database, new Value(bytes, storedKey.Bytes.Length), out value));
    }

    /// <summary>
    /// Moves to a key, which costs little if it is on the page of the one before. The value is valid until <see cref="Using"/> is let go.
    /// </summary>
    public bool TryMoveTo(ReadOnlySpan<byte> key, out Value value)
    {
        environment.ThrowIfLost();
        return TrySeek(StoredKey.OfEntry(key), out Value found, out value) && StoredKey.TryGetEntryKey(found.Span, out ReadOnlySpan<byte> entryKey)
            && entryKey.SequenceEqual(key);
    }

    /// <summary>Moves to the first or last entry of a range. Key and value are valid until <see cref="Using"/> is let go.</summary>
    public bool TryMoveInto(in KeyRange range, ScanDirection direction, out Value key, out Value value)
    {
        environment.ThrowIfLost();
        if (direction == ScanDirection.Forward)
            return TrySeek(StoredKey.OfEntry(range.Start.Span), out key, out value);
        StoredKey end = range.End is { } exclusive ? StoredKey.OfEntry(exclusive.Span) : StoredKey.AboveEntries;
        return TrySeek(end, out key, out value)
            ? TryMove(CursorOperation.Previous, out key, out value)
            : TryMove(CursorOperation.Last, out key, out value);
    }

    /// <summary>Moves to the next entry in a direction, inside the range or not.</summary>
    public bool TryMoveOn(ScanDirection direction, out Value key, out Value value) =>
        TryMove(direction == ScanDirection.Forward ? CursorOperation.Next : CursorOperation.Previous, out key, out value);

    /// <summary>Forgets where the cursor is: it has the address of a page.</summary>
    public void ForgetPlace() => environment.Check(engine.CursorRenew(transaction, cursor));

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

    bool TrySeek(in StoredKey least, out Value key, out Value value)
    {
        value = default;
        fixed (byte* bytes = least.Bytes)
        {
            key = new Value(bytes, least.Bytes.Length);
            return IsFound(engine.CursorGet(cursor, ref key, ref value, CursorOperation.SetRange));
        }
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
