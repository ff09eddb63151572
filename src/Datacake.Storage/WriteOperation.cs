namespace Datacake.Storage;

/// <summary>One operation of a <see cref="WriteBatch"/>: a put, or a delete if <see cref="Value"/> is <see langword="null"/>.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The value to put, or <see langword="null"/> to delete the key.</param>
public readonly record struct WriteOperation(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte>? Value);
