using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Unicode;
using Datacake.EventualConsistency;

namespace Datacake.Extensions.Caching.Records;

/// <summary>
/// The keys of the documents of a cache: a letter for their kind and the key of the entry, or its hash if a document cannot have that key. Entries of both caches may be in one keyspace.
/// </summary>
static class CacheKeys
{
    // The limit of a key is 240 bytes, with what its encoding adds.
    const int MaxNameLength = 200;

    /// <summary>Gets the tag that all entries have, and that stands for all of them.</summary>
    public const string Everything = "*";

    /// <summary>Gets the key after those of all tags, which come first in a keyspace, so that they are found without reading the entries.</summary>
    public static DocumentKey EndOfTags { get; } = DocumentKey.Of("\"");

    public static DocumentKey OfDistributed(string key) => Of('d', key);

    public static DocumentKey OfHybrid(string key) => Of('h', key);

    public static DocumentKey OfOutput(string key) => Of('o', key);

    public static DocumentKey OfTag(string tag) => Of('!', tag);

    static DocumentKey Of(char kind, string name)
    {
        Span<byte> buffer = stackalloc byte[MaxNameLength];
        bool isValid = Utf8.FromUtf16(name, buffer, out _, out _, replaceInvalidSequences: false) == OperationStatus.Done;
        // A zero takes two bytes in the key of a document.
        return isValid && !name.Contains('\0')
            ? DocumentKey.Of($"{kind}:{name}")
            : DocumentKey.Of($"{kind}#{Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(name.AsSpan())))}");
    }
}
