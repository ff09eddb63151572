using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Datacake.Storage;
using SQLitePCL;

namespace Datacake.Sqlite;

/// <summary>
/// A function for the condition of a statement that collects the entries of the rows, so that SQLite returns once for many rows. To return each row
/// and fetch its columns takes longer than to find it. Not thread-safe.
/// </summary>
sealed unsafe class EntryCollector : IDisposable
{
    const int Bytes = 16 * 1024, Entries = 512;

    State* _state = (State*)NativeMemory.AllocZeroed((nuint)sizeof(State));

    /// <summary>Adds the function <c>collected(key, value)</c> to a connection. It is true for each entry that it has collected.</summary>
    public EntryCollector(Connection connection) => connection.AddFunction("collected", arguments: 2, &Collect, (nint)_state);

    /// <summary>
    /// Adds the rows of a statement to a page until it has a number of entries or of bytes. The statement returns those of its rows that the function has not collected.
    /// </summary>
    [SkipLocalsInit]
    public void Collect(Connection connection, Statement rows, EntryPage page, int maxEntries, int maxBytes, ValueReader valueOf)
    {
        byte* bytes = stackalloc byte[Bytes];
        int* ends = stackalloc int[2 * Entries];
        *_state = new State { Bytes = bytes, Ends = ends, MaxCount = Math.Min(maxEntries, Entries) };
        bool isThere;
        do
        {
            isThere = connection.Step(rows);
            page.AddAll(new(bytes, _state->Length), new(ends, 2 * _state->Count));
            // The space is used up, or the value is in another table.
            if (isThere && page.Count < maxEntries)
                page.Add(Connection.Blob(rows, 0), valueOf(rows, 1));
            (_state->Length, _state->Count, _state->MaxCount) = (0, 0, Math.Min(maxEntries - page.Count, Entries));
        }
        while (isThere && page.Count < maxEntries && page.Length < maxBytes);
    }

    public void Dispose()
    {
        NativeMemory.Free(_state);
        _state = null;
    }

    // The condition is null, and the row is not returned, unless the function returns a value.
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    static void Collect(nint context, int count, nint* arguments)
    {
        var state = (State*)Native.UserData(context);
        nint key = arguments[0], value = arguments[1];
        if (state->Count < state->MaxCount && Native.ValueType(value) == raw.SQLITE_BLOB)
        {
            byte* keyBytes = Native.ValueBlob(key), valueBytes = Native.ValueBlob(value);
            int keyLength = Native.ValueBytes(key), valueLength = Native.ValueBytes(value);
            if (keyLength <= Bytes - state->Length && valueLength <= Bytes - state->Length - keyLength)
            {
                byte* to = state->Bytes + state->Length;
                new ReadOnlySpan<byte>(keyBytes, keyLength).CopyTo(new(to, keyLength));
                new ReadOnlySpan<byte>(valueBytes, valueLength).CopyTo(new(to + keyLength, valueLength));
                state->Ends[2 * state->Count] = state->Length += keyLength;
                state->Ends[(2 * state->Count) + 1] = state->Length += valueLength;
                state->Count++;
                return;
            }
        }
        Native.ReturnInteger(context, 0);
    }

    public delegate ReadOnlySpan<byte> ValueReader(Statement row, int column);

    struct State
    {
        public byte* Bytes;
        public int* Ends;       // For each entry, the end of its key and the end of its value.
        public int Length;
        public int Count;
        public int MaxCount;
    }
}
