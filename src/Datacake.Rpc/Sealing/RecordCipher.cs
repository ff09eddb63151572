using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Datacake.Rpc.Sealing;

/// <summary>
/// The cipher (AES-256-GCM) that seals or opens the records of one direction of a connection. A record consists of the length of its
/// contents (2 bytes, little-endian), the encrypted contents and a tag (16). The nonce is the number of the record, which is not
/// transmitted, so a record that was changed, removed, repeated or moved cannot be opened. As in TLS 1.3, the number is combined with a
/// vector derived from the key. After many records, both sides switch to the next key, which is derived from the current one but does not
/// reveal it. Not thread-safe.
/// </summary>
sealed class RecordCipher : IDisposable
{
    public const int HeaderSize = 2;
    public const int Overhead = HeaderSize + TagSize;

    /// <summary>The maximum length of the contents of a record, in bytes.</summary>
    public const int MaxContents = 16 * 1024;

    const int TagSize = 16;
    const int KeySize = 32;
    const int NonceSize = 12;

    // Less than a sixteenth of the 2^24.5 records of this size after which TLS 1.3 must change an AES-GCM key.
    const int RecordsOfKey = 1 << 20;

    readonly int _recordsOfKey;
    readonly byte[] _vector = new byte[NonceSize];
    byte[] _secret;
    AesGcm _cipher = null!;     // Created by UseSecret.
    long _records;

    public RecordCipher(byte[] secret, int recordsOfKey = RecordsOfKey)
    {
        (_secret, _recordsOfKey) = (secret, recordsOfKey);
        UseSecret();
    }

    /// <summary>Seals contents into a record, and returns the size of the record.</summary>
    public int Seal(ReadOnlySpan<byte> contents, Span<byte> record)
    {
        Span<byte> nonce = stackalloc byte[NonceSize];
        TakeNonce(nonce);
        var header = record[..HeaderSize];
        BinaryPrimitives.WriteUInt16LittleEndian(header, (ushort)contents.Length);
        _cipher.Encrypt(nonce, contents, record.Slice(HeaderSize, contents.Length), record.Slice(HeaderSize + contents.Length, TagSize), header);
        return contents.Length + Overhead;
    }

    /// <summary>Reads the length of the contents from the header of a record.</summary>
    /// <exception cref="BrokenSealException">The length is invalid.</exception>
    public static int ReadLength(ReadOnlySpan<byte> header)
    {
        var length = BinaryPrimitives.ReadUInt16LittleEndian(header);
        return length is > 0 and <= MaxContents ? length : throw new BrokenSealException();
    }

    /// <summary>Opens a complete record.</summary>
    /// <exception cref="BrokenSealException">The record is not the next one that the other side has sealed.</exception>
    public void Open(ReadOnlySpan<byte> record, Span<byte> contents)
    {
        Span<byte> nonce = stackalloc byte[NonceSize];
        TakeNonce(nonce);
        try
        {
            _cipher.Decrypt(nonce, record[HeaderSize..^TagSize], record[^TagSize..], contents, record[..HeaderSize]);
        }
        catch (CryptographicException error)
        {
            throw new BrokenSealException(error);
        }
    }

    public void Dispose() => _cipher.Dispose();

    void TakeNonce(Span<byte> nonce)
    {
        if (_records == _recordsOfKey)
        {
            _cipher.Dispose();
            _secret = Expand("next"u8, KeySize);
            UseSecret();
        }

        _vector.CopyTo(nonce);
        var number = nonce[(NonceSize - sizeof(long))..];
        BinaryPrimitives.WriteInt64LittleEndian(number, BinaryPrimitives.ReadInt64LittleEndian(number) ^ _records);
        _records++;
    }

    void UseSecret()
    {
        _cipher = new AesGcm(Expand("key"u8, KeySize), TagSize);
        Expand("vector"u8, NonceSize).CopyTo(_vector, 0);
        _records = 0;
    }

    byte[] Expand(ReadOnlySpan<byte> purpose, int size)
    {
        var key = new byte[size];
        HKDF.Expand(HashAlgorithmName.SHA256, _secret, key, purpose);
        return key;
    }
}
