namespace Datacake.Lmdb;

/// <summary>
/// The writes that a commit waits for. LMDB has no log: it writes the pages of a commit to free places, and then a metadata page that makes
/// them valid.
/// </summary>
enum Syncing
{
    /// <summary>No writes. A loss of power can leave only the metadata page on the disk, and the file is then unreadable.</summary>
    None,

    /// <summary>
    /// The pages of the commit, before the metadata page is written. A loss of power may lose the last commit, but never the file.
    /// </summary>
    PagesOnly,

    /// <summary>The pages of the commit and the metadata page.</summary>
    Full,
}
