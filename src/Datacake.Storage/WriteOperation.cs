namespace Datacake.Storage;

/// <summary>One operation of a <see cref="WriteBatch"/>: a put, or a delete where <see cref="Value"/> is <see langword="null"/>.</summary>
public readonly record struct WriteOperation(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte>? Value)
{
    /// <summary>Whether the operation removes the key.</summary>
    public bool IsDelete => Value is null;
}
