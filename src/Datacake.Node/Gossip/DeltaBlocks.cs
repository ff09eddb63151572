using System.Buffers;
using ZstdSharp;

namespace Datacake.Node.Gossip;

/// <summary>
/// The blocks that the operations of a delta are cut into, each compressed with zstd where that makes it smaller. Not thread-safe:
/// it keeps the compressor's working memory.
/// </summary>
sealed class DeltaBlocks : IDisposable
{
    readonly Compressor _compressor = new(3);
    readonly Decompressor _decompressor = new();
    readonly byte[] _compressed = new byte[WireFormat.BlockLength];
    readonly byte[] _inflated = new byte[WireFormat.MaxInflatedBlockLength];

    public void Write(ReadOnlySpan<byte> operations, WireWriter writer)
    {
        while (!operations.IsEmpty)
        {
            var block = operations[..Math.Min(operations.Length, WireFormat.BlockLength)];
            operations = operations[block.Length..];
            // The compressor needs the output to be shorter than the input, or else the block travels as it is.
            var isSmaller = _compressor.TryWrap(block, _compressed.AsSpan(0, block.Length), out var length);
            writer.Byte(isSmaller ? WireFormat.ZstdBlock : WireFormat.StoredBlock);
            writer.Text(isSmaller ? _compressed.AsSpan(0, length) : block);
        }
        writer.Byte(WireFormat.EndOfBlocks);
    }

    /// <summary>
    /// Reads blocks up to the end mark into one piece, since an operation may lie across two; null, and the reader failed, if they are
    /// damaged. Blocks beyond the most that a delta may inflate to are passed over.
    /// </summary>
    public ArrayBufferWriter<byte>? Read(ref WireReader reader, out bool isCut)
    {
        var operations = new ArrayBufferWriter<byte>();
        isCut = false;
        while (true)
        {
            var kind = reader.Byte();
            if (reader.Error is not null)
                return null;
            if (kind == WireFormat.EndOfBlocks)
                return operations;
            var block = reader.Bytes(reader.UInt16());
            if (isCut && kind is WireFormat.ZstdBlock or WireFormat.StoredBlock)
                continue;
            if (kind == WireFormat.ZstdBlock)
            {
                if (Inflate(block, out var length) is { } error)
                    reader.Fail(error);
                block = _inflated.AsSpan(0, length);
            }
            else if (kind != WireFormat.StoredBlock)
            {
                reader.Fail($"{kind} is not a kind of block");
            }
            if (reader.Error is not null)
                return null;
            isCut = operations.WrittenCount + block.Length > WireFormat.MaxInflatedDeltaLength;
            if (!isCut)
                operations.Write(block);
        }
    }

    /// <summary>Fills the inflated buffer, or says what is wrong with the block.</summary>
    string? Inflate(ReadOnlySpan<byte> block, out int length)
    {
        length = 0;
        try
        {
            return _decompressor.TryUnwrap(block, _inflated, out length)
                ? null
                : $"a block inflates to more than {WireFormat.MaxInflatedBlockLength} bytes";
        }
        catch (ZstdException damage)
        {
            return $"a block cannot be inflated: {damage.Message}";
        }
    }

    public void Dispose()
    {
        _compressor.Dispose();
        _decompressor.Dispose();
    }
}
