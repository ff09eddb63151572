namespace Datacake.Storage;

/// <summary>
/// A batch of puts and deletes that a store commits atomically. Operations apply in the order in which they were added, so the last one for
/// a key wins. The batch keeps references to the keys and values passed to it: do not change this memory until the commit has returned.
/// Not thread-safe.
/// </summary>
public sealed class WriteBatch
{
    const int FirstCapacity = 4;

    WriteOperation[] _operations;
    bool _hasPuts;

    /// <summary>Initializes an empty batch.</summary>
    /// <param name="capacity">The number of operations to make room for. The batch grows as needed.</param>
    /// <exception cref="ArgumentOutOfRangeException">The capacity is negative.</exception>
    public WriteBatch(int capacity = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(capacity);
        _operations = capacity == 0 ? [] : new WriteOperation[capacity];
    }

    /// <summary>The maximum length of a key, in bytes. Every provider supports it.</summary>
    public const int MaxKeyLength = 480;

    /// <summary>
    /// The maximum length of a value, in bytes. Every provider supports it. It is 1 GB minus some room for the overhead of a file format.
    /// </summary>
    public const int MaxValueLength = 1_000_000_000 - 1024;

    /// <summary>Gets the operations, in the order in which they were added.</summary>
    public ReadOnlySpan<WriteOperation> Operations => _operations.AsSpan(0, Count);

    /// <summary>Returns the operations in the order in which a provider with a tree applies them fastest. The result is that of the order in which they were added.</summary>
    public OrderedOperations InBestOrder() => new(_operations, Count);

    /// <summary>Gets the number of operations.</summary>
    public int Count { get; private set; }

    /// <summary>
    /// Gets or sets whether the batch may use the space that a provider with a maximum file size reserves for operations that make room.
    /// Set it to <see langword="true"/> for deletes that must also write something. A batch that only deletes may always use the reserve.
    /// </summary>
    public bool MayUseReserve
    {
        get => field || !_hasPuts;
        set;
    }

    /// <summary>Sets the value of a key.</summary>
    /// <exception cref="ArgumentException">
    /// The key is longer than <see cref="MaxKeyLength"/>, or the value is longer than <see cref="MaxValueLength"/>.
    /// </exception>
    public void Put(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value)
    {
        CheckKey(key);
        if (value.Length > MaxValueLength)
            throw new ArgumentException($"The value has {value.Length} bytes. The maximum is {MaxValueLength}.", nameof(value));
        _hasPuts = true;
        Add(new WriteOperation(key, value));
    }

    /// <summary>Deletes a key. Deleting a key that does not exist has no effect.</summary>
    /// <exception cref="ArgumentException">The key is longer than <see cref="MaxKeyLength"/>.</exception>
    public void Delete(ReadOnlyMemory<byte> key)
    {
        CheckKey(key);
        Add(new WriteOperation(key, null));
    }

    /// <summary>Removes all operations, so that the batch can be reused.</summary>
    public void Clear()
    {
        Array.Clear(_operations, 0, Count);
        Count = 0;
        _hasPuts = false;
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
            throw new ArgumentException($"The key has {key.Length} bytes. The maximum is {MaxKeyLength}.", nameof(key));
    }
}
