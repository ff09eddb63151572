using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Datacake.Rpc.Handshake;

namespace Datacake.Rpc.Sealing;

/// <summary>
/// Seals the datagrams of one node, and opens those of others, with AES-256-GCM and keys that follow from the cluster secret. Each life of a node (from its start to its end, or
/// shorter) has a random number, which makes its key, and numbers its datagrams. A datagram names the lives of its sender and of its receiver: one that was recorded is refused by
/// the life that has taken it in before, and means nothing to any other. No clock is involved, so that nodes with wrong clocks still hear each other. Who does not know the life of a
/// receiver is told by it, in a datagram that is no longer than the one that it answers. Safe to use from several threads.
/// </summary>
/// <remarks>
/// A datagram is version (1 byte), kind (1), life of the sender (16), of the receiver (16; zero: unknown), number (8), salt (4), commitment (16), contents, tag (16), all
/// little-endian. All before the contents is authenticated with them. Number and salt are the nonce: the random salt keeps nonces apart if a machine is
/// set back to an earlier state of its memory. The commitment follows from the key, as AES-GCM itself allows datagrams that open with several keys,
/// with which many guesses of a secret could be tried at once.
/// </remarks>
sealed class DatagramSeal(ClusterSecrets secrets) : IDisposable
{
    public const int Overhead = HeaderSize + TagSize;

    const byte Version = 1;
    const byte MessageKind = 0;
    const byte LifeKind = 1;
    const int LifeSize = 16;
    const int SenderOffset = 2;
    const int ReceiverOffset = SenderOffset + LifeSize;
    const int NonceOffset = ReceiverOffset + LifeSize;
    const int NumberSize = sizeof(ulong);
    const int NonceSize = 12;
    const int CommitmentOffset = NonceOffset + NonceSize;
    const int HeaderSize = CommitmentOffset + DatagramKey.CommitmentSize;
    const int TagSize = 16;

    /// <summary>The most lives of others that are remembered: far more than a cluster has nodes.</summary>
    const int Capacity = 1_024;

    readonly Lock _gate = new();
    readonly Dictionary<UInt128, Peer> _peers = [];     // all below under the lock
    UInt128 _life = NewLife();
    DatagramKey? _own;
    ulong _sent;
    long _heard;

    /// <summary>Seals a message.</summary>
    /// <param name="contents">The message.</param>
    /// <param name="receiver">The life of the receiver; 0 if it is not known.</param>
    /// <param name="number">The number of the datagram, which the answer of a receiver names that it was not made for.</param>
    public byte[] Seal(ReadOnlySpan<byte> contents, UInt128 receiver, out ulong number) => Seal(MessageKind, contents, receiver, out number);

    /// <summary>Tells the sender of an outdated datagram the life of this node; null if that would be longer than what it answers.</summary>
    public byte[]? TellLife(OpenedDatagram outdated, int length)
    {
        if (length < Overhead + NumberSize)
            return null;
        Span<byte> answered = stackalloc byte[NumberSize];
        BinaryPrimitives.WriteUInt64LittleEndian(answered, outdated.Number);
        return Seal(LifeKind, answered, outdated.Sender, out _);
    }

    public OpenedDatagram Open(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length < Overhead || datagram[0] != Version || datagram[1] > LifeKind)
            return default;
        var sender = BinaryPrimitives.ReadUInt128LittleEndian(datagram[SenderOffset..]);
        var receiver = BinaryPrimitives.ReadUInt128LittleEndian(datagram[ReceiverOffset..]);
        var number = BinaryPrimitives.ReadUInt64LittleEndian(datagram[NonceOffset..]);
        var contents = new byte[datagram.Length - Overhead];
        lock (_gate)
        {
            if (!TryDecrypt(sender, datagram, contents, out var peer))
                return default;
            // Only what was made for this life counts: a record of another could otherwise use up the numbers of its sender.
            if (receiver != _life)
                return new OpenedDatagram(DatagramKind.Outdated, sender, number);
            peer.LastHeard = ++_heard;
            if (!peer.Numbers.TryTake(number))
                return default;
        }

        if (datagram[1] == MessageKind)
            return new OpenedDatagram(DatagramKind.Message, sender, number, contents);
        return contents.Length == NumberSize
            ? new OpenedDatagram(DatagramKind.Life, sender, BinaryPrimitives.ReadUInt64LittleEndian(contents))
            : default;
    }

    public void Dispose()
    {
        lock (_gate)
            Clear();
    }

    static UInt128 NewLife() => BinaryPrimitives.ReadUInt128LittleEndian(RandomNumberGenerator.GetBytes(LifeSize));

    byte[] Seal(byte kind, ReadOnlySpan<byte> contents, UInt128 receiver, out ulong number)
    {
        var datagram = new byte[Overhead + contents.Length];
        (datagram[0], datagram[1]) = (Version, kind);
        var header = datagram.AsSpan(0, HeaderSize);
        BinaryPrimitives.WriteUInt128LittleEndian(header[ReceiverOffset..], receiver);
        RandomNumberGenerator.Fill(header.Slice(NonceOffset + NumberSize, NonceSize - NumberSize));
        lock (_gate)
        {
            _own ??= secrets.KeyOfDatagrams(_life);
            number = ++_sent;
            BinaryPrimitives.WriteUInt128LittleEndian(header[SenderOffset..], _life);
            BinaryPrimitives.WriteUInt64LittleEndian(header[NonceOffset..], number);
            _own.Commitment.CopyTo(header[CommitmentOffset..]);
            _own.Cipher.Encrypt(
                header.Slice(NonceOffset, NonceSize), contents, datagram.AsSpan(HeaderSize, contents.Length), datagram.AsSpan(HeaderSize + contents.Length), header);
        }

        return datagram;
    }

    // Under the lock. Nothing is remembered of who has not proved to be of the cluster.
    bool TryDecrypt(UInt128 sender, ReadOnlySpan<byte> datagram, Span<byte> contents, [NotNullWhen(true)] out Peer? peer)
    {
        var commitment = datagram.Slice(CommitmentOffset, DatagramKey.CommitmentSize);
        if (_peers.TryGetValue(sender, out peer))
            return peer.Key.IsCommittedTo(commitment) && TryDecrypt(peer.Key, datagram, contents);
        if (secrets.FindKeyOfDatagrams(sender, commitment) is not { } key)
            return false;
        if (!TryDecrypt(key, datagram, contents))
        {
            key.Dispose();
            return false;
        }

        if (_peers.Count >= Capacity)
            ForgetOne();
        _peers.Add(sender, peer = new Peer(key));
        return true;
    }

    // Under the lock. With a life that was heard, it would be forgotten which of its numbers were taken: then this node begins a new life, for which nothing was made yet.
    void ForgetOne()
    {
        var (life, oldest) = _peers.MinBy(static known => known.Value.LastHeard);
        if (oldest.LastHeard == 0)
        {
            _peers.Remove(life);
            oldest.Key.Dispose();
            return;
        }

        Clear();
        _life = NewLife();
        _sent = 0;
    }

    void Clear()
    {
        _own?.Dispose();
        _own = null;
        foreach (var peer in _peers.Values)
            peer.Key.Dispose();
        _peers.Clear();
    }

    static bool TryDecrypt(DatagramKey key, ReadOnlySpan<byte> datagram, Span<byte> contents)
    {
        try
        {
            key.Cipher.Decrypt(
                datagram.Slice(NonceOffset, NonceSize), datagram[HeaderSize..^TagSize], datagram[^TagSize..], contents, datagram[..HeaderSize]);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }

    /// <summary>A life of another node.</summary>
    sealed class Peer(DatagramKey key)
    {
        public DatagramKey Key => key;

        public NumberWindow Numbers { get; } = new();

        /// <summary>When it was heard last, in datagrams that were made for this life; 0 for never.</summary>
        public long LastHeard { get; set; }
    }
}
