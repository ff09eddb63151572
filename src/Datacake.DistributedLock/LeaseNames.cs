using System.Buffers;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Unicode;
using Datacake.EventualConsistency;

namespace Datacake.DistributedLock;

/// <summary>The names of the leases of locks: a prefix and the name of the lock, or another prefix and its hash if the lease cannot have that name.</summary>
static class LeaseNames
{
    const string Prefix = "lock:", HashPrefix = "lock#";

    public static string Of(string name)
    {
        Span<byte> buffer = stackalloc byte[NodeLeases.MaxNameLength - Prefix.Length];
        bool isValid = Utf8.FromUtf16(name, buffer, out _, out _, replaceInvalidSequences: false) == OperationStatus.Done;
        // A zero takes two bytes in the key of a document, whose length is limited, too.
        return isValid && !name.Contains('\0') ? Prefix + name : HashPrefix + Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(name.AsSpan())));
    }
}
