using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>The name of a document. It holds the keyspace's name, because each node numbers its keyspaces for itself.</summary>
/// <param name="Keyspace">The name of the keyspace.</param>
/// <param name="Policy">The merge policy of the keyspace, for a receiver that does not know the keyspace yet.</param>
/// <param name="Key">The document's encoded key.</param>
readonly record struct DocumentName(string Keyspace, MergePolicy Policy, ReadOnlyMemory<byte> Key)
{
    /// <summary>Returns true if the document comes after another in the order that all nodes share: by keyspace, then by key.</summary>
    public bool IsAfter(DocumentName other) => string.CompareOrdinal(Keyspace, other.Keyspace) is var order and not 0
        ? order > 0
        : Key.Span.SequenceCompareTo(other.Key.Span) > 0;

    public void Write(ref MessagePackWriter writer)
    {
        writer.Write(Keyspace);
        writer.Write((byte)Policy);
        writer.Write(Key.Span);
    }

    public static DocumentName Read(ref MessagePackReader reader)
    {
        var names = default(KeyspaceNames);
        var name = Read(ref reader, ref names);
        return name with { Key = name.Key.ToArray() };
    }

    /// <summary>Reads a name. The key is a view of the input.</summary>
    public static DocumentName Read(ref MessagePackReader reader, ref KeyspaceNames names)
    {
        string keyspace = names.Read(ref reader);
        return new DocumentName(keyspace, KeyspaceRecord.ReadPolicy(ref reader), new DocumentKey(Record.ReadView(ref reader)).Encoded);
    }
}

/// <summary>A reader of keyspace names that decodes a name only once while it repeats.</summary>
ref struct KeyspaceNames
{
    ReadOnlySpan<byte> _bytes;
    string? _name;

    /// <exception cref="InvalidDataException">The name is missing, or is not a valid keyspace name.</exception>
    public string Read(ref MessagePackReader reader)
    {
        if (!reader.TryReadStringSpan(out var bytes))
            return Check(Record.ReadText(ref reader));
        if (_name is null || !bytes.SequenceEqual(_bytes))
        {
            _name = Check(Encoding.UTF8.GetString(bytes));
            _bytes = bytes;
        }
        return _name;
    }

    static string Check(string name)
    {
        KeyspaceCatalog.CheckName(name);
        return name;
    }
}

/// <summary>The change that a transaction makes to one document.</summary>
/// <remarks>See PROTOCOL.md: base of a delta, delta.</remarks>
/// <param name="Name">The document.</param>
/// <param name="Base">
/// The put that an update or delete was made on; none for a put. A replica that does not hold the base must not apply the delta: it would
/// show a part of a document without its whole, or later purge a tombstone without having known the document that it deletes.
/// </param>
/// <param name="Document">The change, in the form of a document to merge.</param>
readonly record struct DocumentDelta(DocumentName Name, HlcTimestamp Base, Document Document)
{
    /// <summary>
    /// True if something may become purgeable when the transaction is truncated [R11]. A put alone never makes anything purgeable, because
    /// everything that it writes is visible for as long as it is stored. If a later delete hides it, that delete's own delta has this
    /// property.
    /// </summary>
    public bool MayPurge => MayPurgeOf(Document);

    /// <summary>True if the delta deletes the document and changes nothing else in it.</summary>
    public bool IsDelete => Document.Born.IsNone && Document.Touched.IsNone && !Document.Died.IsNone;

    /// <summary>
    /// Returns true if something of a document may become purgeable when its stamps are truncated: true unless the document was only put and has not expired.
    /// </summary>
    public static bool MayPurgeOf(Document document)
    {
        if (document.Born.IsNone || !document.Touched.IsNone || !document.Died.IsNone || document.IsLapsed)
            return true;
        foreach (var cell in document.Cells)
        {
            if (!cell.IsShown(document.Born))
                return true;
        }
        return false;
    }
}
