using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Datacake.Rpc.Sealing;

/// <summary>
/// The encryption of the datagrams of one node. It seals the node's datagrams and opens those of others with AES-256-GCM and keys derived
/// from the cluster secret. Thread-safe.
/// </summary>
/// <remarks>
/// <para>Each life of a node (the time from its start to its end, or a part of it) is identified by a random number, from which its key is
/// derived. A life numbers its datagrams. Each datagram contains the lives of its sender and of its receiver. If an attacker records and
/// resends a datagram, the life that has already accepted it refuses it, and every other life treats it as outdated. This does not depend
/// on clocks, so that nodes with wrong clocks can still communicate. A sender that does not know the life of its receiver learns it from an
/// answer that is never longer than the sender's datagram.</para>
/// <para>A datagram consists of version (1 byte), kind (1), life of the sender (16), life of the receiver (16; zero if unknown), number
/// (8), salt (4), commitment (16), contents and tag (16), all little-endian. The tag authenticates the contents and everything before them.
/// Number and salt form the nonce. The random salt keeps nonces distinct even if a machine is restored from a memory snapshot. The
/// commitment is derived from the key. It is needed because AES-GCM itself allows datagrams that open with several keys, which would let an
/// attacker test many guesses of the secret at once.</para>
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

    /// <summary>The maximum number of other nodes' lives that are remembered. It is far more than a cluster has nodes.</summary>
    const int Capacity = 1_024;

    readonly Lock _gate = new();
    readonly Dictionary<UInt128, Peer> _peers = [];     // Under the lock, as are the fields below.
    UInt128 _life = NewLife();
    DatagramKey? _own;
    ulong _sent;
    long _heard;

    /// <summary>Seals a message.</summary>
    /// <param name="contents">The message.</param>
    /// <param name="receiver">The life of the receiver, or 0 if it is not known.</param>
    /// <param name="number">The number of the datagram. If the receiver has another life, its answer contains this number.</param>
    public byte[] Seal(ReadOnlySpan<byte> contents, UInt128 receiver, out ulong number) => Seal(MessageKind, contents, receiver, out number);

    /// <summary>
    /// Creates the answer to an outdated datagram, which tells its sender the life of this node. Returns null if the answer would be longer
    /// than that datagram.
    /// </summary>
    /// <param name="outdated">The outdated datagram.</param>
    /// <param name="length">The length of the outdated datagram, in bytes.</param>
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
            // Only datagrams for this life take a number. Otherwise, resent datagrams for another life could use up the numbers of their
            // sender.
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

    // Under the lock. A sender is remembered only if its datagram proves that it belongs to the cluster.
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

    // Under the lock. Forgetting a life that was heard would also forget which of its numbers were taken. In that case, this node begins a
    // new life, for which no datagrams exist yet.
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

        /// <summary>
        /// Gets or sets the order in which this life was last heard with a datagram for the current life of this node; 0 for never.
        /// </summary>
        public long LastHeard { get; set; }
    }
}
