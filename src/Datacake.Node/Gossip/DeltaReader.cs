namespace Datacake.Node.Gossip;

/// <summary>Puts the operations of a delta together into sections, and refuses a sequence that no correct sender writes.</summary>
static class DeltaReader
{
    /// <param name="reader">The operations.</param>
    /// <param name="isCut">
    /// True if the end is missing, and with it perhaps a part of the last operation, which is left out. What is before it is whole: versions ascend.
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
                    reader.Fail($"{unknown} is not an operation of a delta");
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
            reader.Fail("an entry belongs to no node");
        else if (sections[^1].ExplicitMaxVersion is not null)
            reader.Fail("an entry follows on the end of its section");
        else if (entry.Version <= (entries.Count == 0 ? 0 : entries[^1].Version))
            reader.Fail($"the versions of {sections[^1].Id} do not ascend");
        else if (entry.Status > EntryStatus.DeletedAfterTtl)
            reader.Fail($"{(byte)entry.Status} is not a status of an entry");
        else
            entries.Add(entry);
    }

    static void ReadMaxVersion(ref WireReader reader, List<NodeDelta> sections, List<DeltaEntry> entries)
    {
        var maxVersion = reader.UInt64();
        if (reader.Error is not null)
            return;
        if (sections.Count == 0)
            reader.Fail("a greatest version belongs to no node");
        else if (entries.Count > 0 && maxVersion < entries[^1].Version)
            reader.Fail($"the greatest version of {sections[^1].Id} is below that of its last entry");
        else
            sections[^1] = sections[^1] with { ExplicitMaxVersion = maxVersion };
    }
}
