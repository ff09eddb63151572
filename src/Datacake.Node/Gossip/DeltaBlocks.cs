using System.Buffers;
using ZstdSharp;

namespace Datacake.Node.Gossip;

/// <summary>
/// The codec of the blocks into which the operations of a delta are divided. A block is compressed with zstd if that makes it smaller. Not
/// thread-safe, because the working memory is reused.
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
            // The output buffer has the length of the input, so a block that does not shrink fails to compress and is stored as it is.
            var isSmaller = _compressor.TryWrap(block, _compressed.AsSpan(0, block.Length), out var length);
            writer.Byte(isSmaller ? WireFormat.ZstdBlock : WireFormat.StoredBlock);
            writer.Text(isSmaller ? _compressed.AsSpan(0, length) : block);
        }
        writer.Byte(WireFormat.EndOfBlocks);
    }

    /// <summary>
    /// Reads the blocks up to the end mark and joins them, because an operation may span two blocks. Returns null and sets the error of the
    /// reader if a block is damaged. Skips the blocks that exceed the maximum inflated length of a delta.
    /// </summary>
    /// <param name="reader">The reader of the message.</param>
    /// <param name="isCut">True if blocks were skipped.</param>
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
                reader.Fail($"{kind} is not a valid block type");
            }
            if (reader.Error is not null)
                return null;
            isCut = operations.WrittenCount + block.Length > WireFormat.MaxInflatedDeltaLength;
            if (!isCut)
                operations.Write(block);
        }
    }

    /// <summary>Inflates a block into the buffer. Returns a description of the error, or null if there is none.</summary>
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
