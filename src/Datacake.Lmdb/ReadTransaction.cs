using System.Runtime.CompilerServices;
using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>A read transaction and its cursor, used again for the next snapshot. Whoever reads holds <see cref="Using"/>.</summary>
sealed unsafe class ReadTransaction(Engine engine, LmdbEnvironment environment, nint transaction, nint cursor, uint database) : IDisposable
{
    bool _hasPlace;   // The cursor has the address of a page, of this moment and of the present map.

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

    /// <summary>Copies the entries of a range to a page, until the page is full or the range ends.</summary>
    public void Scan(in KeyRange range, ScanDirection direction, PageOfCopies page)
    {
        environment.ThrowIfLost();
        if (!_hasPlace)
            environment.Check(engine.CursorRenew(transaction, cursor));
        _hasPlace = true;
        Value key, value;
        bool isFound = direction == ScanDirection.Forward ? TrySeek(range.Start.Span, &key, &value) : TrySeekLast(range, &key, &value);
        var next = direction == ScanDirection.Forward ? CursorOperation.Next : CursorOperation.Previous;
        while (isFound && StoredKey.TryGetEntryKey(key.Span, out ReadOnlySpan<byte> entryKey) && !IsBeyond(range, direction, entryKey))
        {
            page.Add(entryKey, value.Span);
            isFound = !page.IsFull && IsFound(engine.CursorGet(cursor, &key, &value, next));
        }
    }

    /// <summary>Forgets where the cursor is: it has the address of a page.</summary>
    public void ForgetPlace() => _hasPlace = false;

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
    bool TrySeek(ReadOnlySpan<byte> least, Value* key, Value* value)
    {
        byte* buffer = stackalloc byte[StoredKey.MaxLength];
        *key = StoredKey.OfEntry(least, buffer);
        return IsFound(engine.CursorGet(cursor, key, value, CursorOperation.SetRange));
    }

    /// <summary>Moves to the last entry below the end of a range.</summary>
    bool TrySeekLast(in KeyRange range, Value* key, Value* value)
    {
        bool isAnyAbove;
        if (range.End is { } end)
        {
            isAnyAbove = TrySeek(end.Span, key, value);
        }
        else
        {
            fixed (byte* bytes = StoredKey.AboveEntries)
            {
                *key = new Value(bytes, StoredKey.AboveEntries.Length);
                isAnyAbove = IsFound(engine.CursorGet(cursor, key, value, CursorOperation.SetRange));
            }
        }
        return IsFound(engine.CursorGet(cursor, key, value, isAnyAbove ? CursorOperation.Previous : CursorOperation.Last));
    }

    /// <summary>Whether a scan in a direction has left the range. It began inside, so that only the bound ahead of it counts.</summary>
    static bool IsBeyond(in KeyRange range, ScanDirection direction, ReadOnlySpan<byte> key) => direction == ScanDirection.Forward
        ? range.End is { } end && key.SequenceCompareTo(end.Span) >= 0
        : key.SequenceCompareTo(range.Start.Span) < 0;

    bool IsFound(Result result)
    {
        if (result == Result.NotFound)
            return false;
        environment.Check(result);
        return true;
    }
}
