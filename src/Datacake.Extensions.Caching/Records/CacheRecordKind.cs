namespace Datacake.Extensions.Caching.Records;

/// <summary>The kind of a document of a cache, as stored.</summary>
enum CacheRecordKind : byte
{
    /// <summary>An entry with a value.</summary>
    Entry = 0,

    /// <summary>The mark that an entry was removed, so that a factory that began before does not store its value.</summary>
    Removal = 1,

    /// <summary>The mark that all entries with a tag that were made before are invalid.</summary>
    Tag = 2,
}
