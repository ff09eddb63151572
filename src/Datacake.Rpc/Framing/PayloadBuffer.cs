using System.Buffers;

namespace Datacake.Rpc.Framing;

/// <summary>
/// A pooled buffer for the body of one received message, assembled from its chunks. It belongs to the reader of the connection while it
/// fills, and then to the receiver of the message, who must release it once. Small bodies are in an array that the object keeps, larger
/// ones in a rented array.
/// </summary>
sealed class PayloadBuffer(FrameConnection owner)
{
    const int SmallSize = 256;

    readonly byte[] _small = new byte[SmallSize];
    byte[]? _rented;
    int _length;
    int _version;       // Counts releases, so that a view from before a release is detected.

    /// <summary>Gets the header of the first frame.</summary>
    public FrameHeader Header { get; private set; }

    public int Version => Volatile.Read(ref _version);

    public int PayloadLength => _length - Header.MetaLength;

    public ReadOnlySpan<byte> Meta => Array.AsSpan(0, Header.MetaLength);

    byte[] Array => _rented ?? _small;

    public void Start(FrameHeader header) => Header = header;

    /// <summary>Makes room for more bytes and returns it. Returns an empty memory if the connection may not buffer that much.</summary>
    public Memory<byte> Extend(int count)
    {
        var length = _length + count;
        if (length > Array.Length && !TryGrow(length))
            return default;
        var room = Array.AsMemory(_length, count);
        _length = length;
        return room;
    }

    public ReadOnlyMemory<byte> GetPayload(int version)
    {
        ObjectDisposedException.ThrowIf(version != Volatile.Read(ref _version), typeof(RpcPayload));
        return Array.AsMemory(Header.MetaLength, PayloadLength);
    }

    public RpcHeaders GetHeaders(int version)
    {
        ObjectDisposedException.ThrowIf(version != Volatile.Read(ref _version), typeof(RpcRequest));
        return RpcHeaders.Decode(Meta[Route.Measure(Meta)..]);
    }

    /// <summary>Returns the buffer to the pool. Does nothing if the version shows that this has already been done.</summary>
    public void Release(int version)
    {
        if (Interlocked.CompareExchange(ref _version, version + 1, version) != version)
            return;
#if DEBUG
        Array.AsSpan(0, _length).Fill(0xDD);        // Makes reads after the release easy to notice.
#endif
        _length = 0;
        if (_rented is { } rented)
        {
            _rented = null;
            owner.Unreserve(rented.Length);
            ArrayPool<byte>.Shared.Return(rented);
        }

        owner.Buffers.Return(this);
    }

    bool TryGrow(int length)
    {
        var larger = ArrayPool<byte>.Shared.Rent(_length == 0 ? length : Math.Max(length, 2 * _length));
        if (!owner.TryReserve(larger.Length))
        {
            ArrayPool<byte>.Shared.Return(larger);
            return false;
        }

        Array.AsSpan(0, _length).CopyTo(larger);
        if (_rented is { } old)
        {
            owner.Unreserve(old.Length);
            ArrayPool<byte>.Shared.Return(old);
        }

        _rented = larger;
        return true;
    }
}
