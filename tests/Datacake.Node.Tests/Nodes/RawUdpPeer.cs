using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Datacake.Node.Tests;

/// <summary>
/// A peer that is written from the description of the wire format alone and shares no code with the node. It introduces itself, answers
/// messages, and publishes its keys in stored blocks.
/// </summary>
sealed class RawUdpPeer : IDisposable
{
    readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    readonly string _name;
    readonly (string Key, string Value)[] _entries;
    ulong _heartbeat = 1;

    public RawUdpPeer(string address, string name, params (string Key, string Value)[] entries)
    {
        _socket.Bind(IPEndPoint.Parse(address));
        _name = name;
        _entries = entries;
    }

    public IPEndPoint Address => (IPEndPoint)_socket.LocalEndPoint!;

    /// <summary>Gets the inflated deltas that arrived, as Latin-1 text.</summary>
    public StringBuilder Received { get; } = new();

    public async Task SendSynAsync(IPEndPoint target, string cluster, CancellationToken cancellationToken)
    {
        _heartbeat++;
        await _socket.SendToAsync((byte[])[0x53, 0xB0, 0, 0, .. Digest(), .. Text(cluster)], target, cancellationToken);
    }

    public Task SendAsync(IPEndPoint target, byte[] bytes, CancellationToken cancellationToken)
        => _socket.SendToAsync(bytes, target, cancellationToken).AsTask();

    /// <summary>Sends messages until an answer arrives.</summary>
    public async Task ProvokeAnswerAsync(IPEndPoint target, string cluster, CancellationToken cancellationToken)
    {
        while (_socket.Available > 0)
            await _socket.ReceiveAsync(new byte[65_507], cancellationToken);
        while (_socket.Available == 0)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await SendSynAsync(target, cluster, cancellationToken);
            for (var i = 0; i < 1_000 && _socket.Available == 0; i++)
                await Task.Yield();
        }
    }

    public Task SendSynAckAsync(IPEndPoint target, CancellationToken cancellationToken)
        => SendAsync(target, [0x53, 0xB0, 0, 1, .. Digest(), .. Delta()], cancellationToken);

    /// <summary>Reads and drops messages until one of each type has arrived.</summary>
    public async Task DropUntilAsync(byte[] types, CancellationToken cancellationToken)
    {
        var buffer = new byte[65_507];
        var missing = types.ToHashSet();
        while (missing.Count > 0)
        {
            await _socket.ReceiveAsync(buffer, cancellationToken);
            missing.Remove(buffer[3]);
        }
    }

    /// <summary>Clears the peer's state and drops the messages that it has not read yet.</summary>
    public void Forget()
    {
        Received.Clear();
        while (_socket.Available > 0)
            _socket.Receive(new byte[65_507]);
    }

    /// <summary>Answers one message.</summary>
    public async Task AnswerAsync(CancellationToken cancellationToken)
    {
        var buffer = new byte[65_507];
        var datagram = await _socket.ReceiveFromAsync(buffer, SocketFlags.None, new IPEndPoint(IPAddress.Any, 0), cancellationToken);
        var message = buffer.AsMemory(0, datagram.ReceivedBytes);
        _heartbeat++;
        switch (message.Span[3])
        {
            case 0:
                await _socket.SendToAsync((byte[])[0x53, 0xB0, 0, 1, .. Digest(), .. Delta()], datagram.RemoteEndPoint, cancellationToken);
                break;
            case 1:
                SkipDigest(message.Span[4..], out var digestLength);
                ReadBlocks(message.Span[(4 + digestLength)..]);
                await _socket.SendToAsync((byte[])[0x53, 0xB0, 0, 2, .. Delta()], datagram.RemoteEndPoint, cancellationToken);
                break;
            case 2:
                ReadBlocks(message.Span[4..]);
                break;
        }
    }

    static void SkipDigest(ReadOnlySpan<byte> bytes, out int length)
    {
        length = 2;
        for (var count = BinaryPrimitives.ReadUInt16LittleEndian(bytes); count > 0; count--)
        {
            length += 2 + BinaryPrimitives.ReadUInt16LittleEndian(bytes[length..]) + 8;
            length += bytes[length] == 4 ? 5 : 17;
            length += 2 + 24;
        }
    }

    void ReadBlocks(ReadOnlySpan<byte> bytes)
    {
        using var zstd = new ZstdSharp.Decompressor();
        while (bytes[0] != 0)
        {
            var block = bytes.Slice(3, BinaryPrimitives.ReadUInt16LittleEndian(bytes[1..]));
            Received.Append(Encoding.Latin1.GetString(bytes[0] == 1 ? zstd.Unwrap(block) : block));
            bytes = bytes[(3 + block.Length)..];
        }
    }

    byte[] Digest() => [1, 0, .. Id(), .. UInt64(_heartbeat), .. UInt64(0), .. UInt64((ulong)_entries.Length)];

    byte[] Delta()
    {
        byte[] operations = [0, .. Id(), .. UInt64(0), .. UInt64(0)];
        for (var i = 0; i < _entries.Length; i++)
            operations = [.. operations, 1, .. Text(_entries[i].Key), .. Text(_entries[i].Value), .. UInt64((ulong)i + 1), 0];
        return [2, (byte)operations.Length, (byte)(operations.Length >> 8), .. operations, 0];
    }

    byte[] Id() => [.. Text(_name), .. UInt64(1), 4, .. Address.Address.GetAddressBytes(), (byte)Address.Port, (byte)(Address.Port >> 8)];

    static byte[] Text(string text) => [(byte)text.Length, (byte)(text.Length >> 8), .. Encoding.ASCII.GetBytes(text)];

    static byte[] UInt64(ulong number) => BitConverter.GetBytes(number);

    public void Dispose() => _socket.Dispose();
}
