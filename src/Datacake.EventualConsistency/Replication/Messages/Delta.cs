using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>A document of a keyspace, by name: the keyspaces' numbers are each node's own.</summary>
/// <param name="Keyspace">The keyspace.</param>
/// <param name="Policy">Its policy, for a receiver that has not heard of it.</param>
/// <param name="Key">The document's encoded key.</param>
readonly record struct DocumentName(string Keyspace, MergePolicy Policy, ReadOnlyMemory<byte> Key)
{
    /// <summary>Whether the document comes after another in the order that all nodes share: by keyspace, then by key.</summary>
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

    /// <summary>Reads a name whose key is a view of the memory that is read.</summary>
    public static DocumentName Read(ref MessagePackReader reader, ref KeyspaceNames names)
    {
        string keyspace = names.Read(ref reader);
        byte policy = reader.ReadByte();
        var key = Record.ReadView(ref reader);
        if (policy > (byte)MergePolicy.DeleteWins)
            throw new InvalidDataException($"The keyspace '{keyspace}' has the unknown policy {policy}.");
        return new DocumentName(keyspace, (MergePolicy)policy, new DocumentKey(key).Encoded);
    }
}

/// <summary>Reads names of keyspaces, of which one mostly is as the one before.</summary>
ref struct KeyspaceNames
{
    ReadOnlySpan<byte> _bytes;
    string? _name;

    /// <exception cref="InvalidDataException">There is none, or it is not one of a keyspace.</exception>
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

/// <summary>What a transaction does to one document: merged in.</summary>
/// <param name="Name">The document.</param>
/// <param name="Base">
/// The put that an update or delete was made on, else none: who does not hold it must not take this, for it would have a part without its whole,
/// or purge a tombstone without having known what it buries.
/// </param>
/// <param name="Document">The change.</param>
readonly record struct Delta(DocumentName Name, HlcTimestamp Base, Document Document)
{
    /// <summary>
    /// Whether something may become purgeable when the transaction is truncated [R11]. Nothing does by a put alone: what it shows is shown for as long as it
    /// is there. If a delete buries it, that one says so.
    /// </summary>
    public bool MayPurge => MayPurgeOf(Document);

    /// <summary>True if it deletes the document, and does nothing else to it.</summary>
    public bool IsDelete => Document.Born.IsNone && Document.Touched.IsNone && !Document.Died.IsNone;

    /// <summary>Returns whether something of a document may become purgeable when its stamps are truncated: all of it, if it was not merely put.</summary>
    public static bool MayPurgeOf(Document document)
    {
        if (document.Born.IsNone || !document.Touched.IsNone || !document.Died.IsNone)
            return true;
        foreach (var cell in document.Cells)
        {
            if (!cell.IsShown(document.Born))
                return true;
        }
        return false;
    }
}
