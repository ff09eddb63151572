namespace Datacake.Node.Gossip;

/// <summary>A reader that assembles the operations of a delta into sections. It refuses sequences that no correct sender writes.</summary>
static class DeltaReader
{
    /// <param name="reader">The reader of the operations.</param>
    /// <param name="isCut">
    /// True if the end of the operations is missing. An incomplete last operation is then ignored. The operations before it are usable,
    /// because versions ascend.
    /// </param>
    public static List<NodeDelta> Read(ref WireReader reader, bool isCut)
    {
        var sections = new List<NodeDelta>();
        var ids = new HashSet<GossipId>();
        var entries = new List<DeltaEntry>();
        while (!reader.AtEnd)
        {
            var start = reader;
            switch (reader.Byte())
            {
                case WireFormat.NodeOperation:
                    if (reader.Id() is not { } id)
                        break;
                    if (!ids.Add(id))
                        reader.Fail($"{id} has two sections in one delta");
                    entries = [];
                    var section = new NodeDelta(id, reader.UInt64(), reader.UInt64(), entries);
                    if (reader.Error is null)
                        sections.Add(section);
                    break;
                case WireFormat.EntryOperation:
                    ReadEntry(ref reader, sections, entries);
                    break;
                case WireFormat.MaxVersionOperation:
                    ReadMaxVersion(ref reader, sections, entries);
                    break;
                case var unknown:
                    reader.Fail($"{unknown} is not a valid delta operation");
                    break;
            }
            if (isCut && reader.HasEndedEarly)
            {
                reader = start;
                break;
            }
        }
        return sections;
    }

    static void ReadEntry(ref WireReader reader, List<NodeDelta> sections, List<DeltaEntry> entries)
    {
        var entry = new DeltaEntry(reader.Text(), reader.Text(), reader.UInt64(), (EntryStatus)reader.Byte());
        if (reader.Error is not null)
            return;
        if (sections.Count == 0)
            reader.Fail("an entry does not belong to a node");
        else if (sections[^1].ExplicitMaxVersion is not null)
            reader.Fail("an entry follows the end of its section");
        else if (entry.Version <= (entries.Count == 0 ? 0 : entries[^1].Version))
            reader.Fail($"the versions of {sections[^1].Id} do not ascend");
        else if (entry.Status > EntryStatus.DeletedAfterTtl)
            reader.Fail($"{(byte)entry.Status} is not a valid entry status");
        else
            entries.Add(entry);
    }

    static void ReadMaxVersion(ref WireReader reader, List<NodeDelta> sections, List<DeltaEntry> entries)
    {
        var maxVersion = reader.UInt64();
        if (reader.Error is not null)
            return;
        if (sections.Count == 0)
            reader.Fail("a maximum version does not belong to a node");
        else if (entries.Count > 0 && maxVersion < entries[^1].Version)
            reader.Fail($"the maximum version of {sections[^1].Id} is below that of its last entry");
        else
            sections[^1] = sections[^1] with { ExplicitMaxVersion = maxVersion };
    }
}
