using Datacake.Storage;
using Npgsql;

namespace Datacake.PostgreSql;

/// <summary>
/// The changes of a batch: the last operation of each key, in the order of the keys, in portions that fit into a message to the server.
/// </summary>
sealed class Changes
{
    // Larger portions are no faster, and take several times their size in the memory of the server.
    const int MaxPortionBytes = 4 * 1024 * 1024;
    const int MaxPortionRows = 8192;

    readonly List<ReadOnlyMemory<byte>[]> _deletes = [];
    readonly List<(ReadOnlyMemory<byte>[] Keys, ReadOnlyMemory<byte>[] Values)> _puts = [];

    Changes()
    {
    }

    /// <summary>Gets the length of all keys and values, in bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Returns the changes of a batch, which refer to its memory.</summary>
    public static Changes Of(WriteBatch batch)
    {
        WriteOperation[] operations = LastOfEachKey(batch.Operations);
        var changes = new Changes();
        changes.AddDeletes(operations);
        changes.AddPuts(operations);
        return changes;
    }

    /// <summary>Returns changes that do not refer to memory of the caller.</summary>
    public Changes Copy()
    {
        var copy = new Changes { Bytes = Bytes };
        foreach (ReadOnlyMemory<byte>[] keys in _deletes)
            copy._deletes.Add(CopyOf(keys));
        foreach (var (keys, values) in _puts)
            copy._puts.Add((CopyOf(keys), CopyOf(values)));
        return copy;
    }

    /// <summary>Adds the statements that make the changes, if the store has the given epoch and number of commits.</summary>
    public void AddTo(NpgsqlBatch statements, Statements sql, long epoch, long commits)
    {
        foreach (ReadOnlyMemory<byte>[] keys in _deletes)
            Add(statements, sql.Delete, Parameter(keys), Parameter(epoch), Parameter(commits));
        foreach (var (keys, values) in _puts)
        {
            // A value of the maximum length does not fit into an array.
            if (keys.Length == 1)
                Add(statements, sql.Put, Parameter(keys[0]), Parameter(values[0]), Parameter(epoch), Parameter(commits));
            else
                Add(statements, sql.PutMany, Parameter(keys), Parameter(values), Parameter(epoch), Parameter(commits));
        }
    }

    /// <summary>Adds a statement to a batch.</summary>
    public static void Add(NpgsqlBatch statements, string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (NpgsqlParameter parameter in parameters)
            command.Parameters.Add(parameter);
        statements.BatchCommands.Add(command);
    }

    public static NpgsqlParameter Parameter<T>(T value) => new NpgsqlParameter<T> { TypedValue = value };

    void AddDeletes(WriteOperation[] operations)
    {
        var keys = new List<ReadOnlyMemory<byte>>();
        foreach (WriteOperation operation in operations)
        {
            if (operation.Value is not null)
                continue;
            keys.Add(operation.Key);
            Bytes += operation.Key.Length;
            if (keys.Count == MaxPortionRows)
                EndPortion();
        }
        EndPortion();

        void EndPortion()
        {
            if (keys.Count > 0)
                _deletes.Add([.. keys]);
            keys.Clear();
        }
    }

    void AddPuts(WriteOperation[] operations)
    {
        var keys = new List<ReadOnlyMemory<byte>>();
        var values = new List<ReadOnlyMemory<byte>>();
        long bytes = 0;
        foreach (WriteOperation operation in operations)
        {
            if (operation.Value is not { } value)
                continue;
            int length = operation.Key.Length + value.Length;
            if (keys.Count == MaxPortionRows || bytes + length > MaxPortionBytes)
                EndPortion();
            keys.Add(operation.Key);
            values.Add(value);
            bytes += length;
        }
        EndPortion();

        void EndPortion()
        {
            if (keys.Count > 0)
                _puts.Add(([.. keys], [.. values]));
            Bytes += bytes;
            bytes = 0;
            keys.Clear();
            values.Clear();
        }
    }

    /// <summary>Returns the last operation of each key, in the order of the keys: a statement can change a row only once, and neighbors are on the same page.</summary>
    static WriteOperation[] LastOfEachKey(ReadOnlySpan<WriteOperation> operations)
    {
        WriteOperation[] all = operations.ToArray();
        int[] order = new int[all.Length];
        for (int i = 0; i < order.Length; i++)
            order[i] = i;
        Array.Sort(order, (left, right) =>
        {
            int comparison = all[left].Key.Span.SequenceCompareTo(all[right].Key.Span);
            return comparison != 0 ? comparison : left.CompareTo(right);
        });
        var last = new List<WriteOperation>(all.Length);
        foreach (int i in order)
        {
            if (last.Count > 0 && last[^1].Key.Span.SequenceEqual(all[i].Key.Span))
                last[^1] = all[i];
            else
                last.Add(all[i]);
        }
        return [.. last];
    }

    static ReadOnlyMemory<byte>[] CopyOf(ReadOnlyMemory<byte>[] memories) => Array.ConvertAll(memories, memory => (ReadOnlyMemory<byte>)memory.ToArray());
}
