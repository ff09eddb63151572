using System.Buffers.Binary;

namespace Datacake.Storage;

/// <summary>
/// A key and its value in one array, which never changes: the length of the key in two bytes, the key, the value. One allocation, and 24 bytes
/// less than two; a reference to an entry takes no more than one to an array.
/// </summary>
readonly struct MemoryEntry
{
    const int KeyStart = sizeof(ushort);

    readonly byte[] _bytes;

    /// <summary>Copies a key and a value.</summary>
    public MemoryEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        _bytes = GC.AllocateUninitializedArray<byte>(KeyStart + key.Length + value.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(_bytes, checked((ushort)key.Length));
        key.CopyTo(_bytes.AsSpan(KeyStart));
        value.CopyTo(_bytes.AsSpan(KeyStart + key.Length));
    }

    public ReadOnlySpan<byte> Key => _bytes.AsSpan(KeyStart, KeyLength);

    public ReadOnlyMemory<byte> Value => _bytes.AsMemory(KeyStart + KeyLength);

    public StorageEntry ToStorageEntry() => new(_bytes.AsMemory(KeyStart, KeyLength), Value);

    int KeyLength => BinaryPrimitives.ReadUInt16LittleEndian(_bytes);
}
