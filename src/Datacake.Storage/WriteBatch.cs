using System.Runtime.InteropServices;

namespace Datacake.Storage;

/// <summary>
/// Puts and deletes that a store commits as one, in the order in which they were added: of several for one key the last one counts.
/// It keeps the memory that it is given, which must not change until the commit has returned. Not thread-safe.
/// </summary>
public sealed class WriteBatch
{
    readonly List<WriteOperation> _operations;

    /// <summary>Creates an empty batch, with room for so many operations; it grows as needed.</summary>
    public WriteBatch(int capacity = 0) => _operations = new List<WriteOperation>(capacity);

    /// <summary>The longest key that every provider takes, in bytes.</summary>
    public const int MaxKeyLength = 480;

    /// <summary>The longest value that every provider takes, in bytes (1 GB less what a file format needs around it).</summary>
    public const int MaxValueLength = 1_000_000_000 - 1024;

    /// <summary>The operations, in the order in which they were added.</summary>
    public ReadOnlySpan<WriteOperation> Operations => CollectionsMarshal.AsSpan(_operations);

    /// <summary>How many operations there are.</summary>
    public int Count => _operations.Count;

    /// <summary>Sets the value of a key.</summary>
    /// <exception cref="ArgumentException">The key or the value is longer than a store takes.</exception>
    public void Put(ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value)
    {
        CheckKey(key);
        if (value.Length > MaxValueLength)
            throw new ArgumentException($"The value has {value.Length} bytes; a store takes at most {MaxValueLength}.", nameof(value));
        _operations.Add(new WriteOperation(key, value));
    }

    /// <summary>Removes a key, if the store has it.</summary>
    /// <exception cref="ArgumentException">The key is longer than a store takes.</exception>
    public void Delete(ReadOnlyMemory<byte> key)
    {
        CheckKey(key);
        _operations.Add(new WriteOperation(key, null));
    }

    /// <summary>Empties the batch for another use.</summary>
    public void Clear() => _operations.Clear();

    static void CheckKey(ReadOnlyMemory<byte> key)
    {
        if (key.Length > MaxKeyLength)
            throw new ArgumentException($"The key has {key.Length} bytes; a store takes at most {MaxKeyLength}.", nameof(key));
    }
}
