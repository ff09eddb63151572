namespace Datacake.Storage;

/// <summary>
/// Puts and deletes that a store commits as one, in the order in which they were added: of several for one key the last one counts.
/// It keeps the memory that it is given, which must not change until the commit has returned. Not thread-safe.
/// </summary>
public sealed class WriteBatch
{
    const int FirstCapacity = 4;

    WriteOperation[] _operations;
    bool _puts;                         // something

    /// <summary>Creates an empty batch, with room for so many operations; it grows as needed.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The capacity is negative.</exception>
    public WriteBatch(int capacity = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(capacity);
        _operations = capacity == 0 ? [] : new WriteOperation[capacity];
    }

    /// <summary>The longest key that every provider takes, in bytes.</summary>
    public const int MaxKeyLength = 480;

    /// <summary>The longest value that every provider takes, in bytes (1 GB less what a file format needs around it).</summary>
    public const int MaxValueLength = 1_000_000_000 - 1024;

    /// <summary>The operations, in the order in which they were added.</summary>
    public ReadOnlySpan<WriteOperation> Operations => _operations.AsSpan(0, Count);

    /// <summary>How many operations there are.</summary>
    public int Count { get; private set; }

    /// <summary>
    /// True if the batch may take of the space that a provider whose file has a greatest size keeps for what makes room: for deletes that also have to note
    /// something. A batch that only deletes always may.
    /// </summary>
    public bool MayUseReserve
    {
        get => field || !_puts;
        set;
    }

    /// <summary>Sets the value of a key.</summary>
    /// <exception cref="ArgumentException">The key or the value is longer than a store takes.</exception>
    public void Put(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value)
    {
        CheckKey(key);
        if (value.Length > MaxValueLength)
            throw new ArgumentException($"The value has {value.Length} bytes; a store takes at most {MaxValueLength}.", nameof(value));
        _puts = true;
        Add(new WriteOperation(key, value));
    }

    /// <summary>Removes a key, if the store has it.</summary>
    /// <exception cref="ArgumentException">The key is longer than a store takes.</exception>
    public void Delete(ReadOnlyMemory<byte> key)
    {
        CheckKey(key);
        Add(new WriteOperation(key, null));
    }

    /// <summary>Empties the batch for another use.</summary>
    public void Clear()
    {
        Array.Clear(_operations, 0, Count);
        Count = 0;
        _puts = false;
        MayUseReserve = false;
    }

    void Add(WriteOperation operation)
    {
        if (Count == _operations.Length)
            Array.Resize(ref _operations, Math.Max(FirstCapacity, checked(2 * Count)));
        _operations[Count++] = operation;
    }

    static void CheckKey(ReadOnlyMemory<byte> key)
    {
        if (key.Length > MaxKeyLength)
            throw new ArgumentException($"The key has {key.Length} bytes; a store takes at most {MaxKeyLength}.", nameof(key));
    }
}
