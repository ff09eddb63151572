using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Datacake.Rpc.Sealing;

/// <summary>
/// Seals or opens the records of one direction of a connection with AES-256-GCM. A record is the length of its contents (2 bytes, little-endian), the
/// contents encrypted, and a tag (16). The nonce is the number of the record, which does not travel: a record that is changed, left out, repeated or moved
/// does not open. As in TLS 1.3, the number is mixed with a vector that follows from the key, and after many records both sides move on to the next key,
/// which follows from the present one and does not lead back. One caller at a time.
/// </summary>
sealed class RecordCipher : IDisposable
{
    public const int HeaderSize = 2;
    public const int Overhead = HeaderSize + TagSize;

    /// <summary>The most bytes in one record.</summary>
    public const int MaxContents = 16 * 1024;

    const int TagSize = 16;
    const int KeySize = 32;
    const int NonceSize = 12;

    // A sixteenth of the 2^24.5 records of this size after which TLS 1.3 has to change an AES-GCM key.
    const int RecordsOfKey = 1 << 20;

    readonly int _recordsOfKey;
    readonly byte[] _vector = new byte[NonceSize];
    byte[] _secret;
    AesGcm _cipher = null!;     // made by UseSecret
    long _records;

    public RecordCipher(byte[] secret, int recordsOfKey = RecordsOfKey)
    {
        (_secret, _recordsOfKey) = (secret, recordsOfKey);
        UseSecret();
    }

    /// <summary>Writes a record, and returns its size.</summary>
    public int Seal(ReadOnlySpan<byte> contents, Span<byte> record)
    {
        Span<byte> nonce = stackalloc byte[NonceSize];
        TakeNonce(nonce);
        var header = record[..HeaderSize];
        BinaryPrimitives.WriteUInt16LittleEndian(header, (ushort)contents.Length);
        _cipher.Encrypt(nonce, contents, record.Slice(HeaderSize, contents.Length), record.Slice(HeaderSize + contents.Length, TagSize), header);
        return contents.Length + Overhead;
    }

    /// <summary>Reads the length of the contents that a record announces.</summary>
    /// <exception cref="BrokenSealException">No record is of that length.</exception>
    public static int ReadLength(ReadOnlySpan<byte> header)
    {
        var length = BinaryPrimitives.ReadUInt16LittleEndian(header);
        return length is > 0 and <= MaxContents ? length : throw new BrokenSealException();
    }

    /// <summary>Opens a whole record.</summary>
    /// <exception cref="BrokenSealException">It is not the record that was sent next.</exception>
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
