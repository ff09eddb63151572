namespace Datacake.Lmdb;

/// <summary>
/// What a commit waits for. LMDB has no log: it writes the pages of a commit to free places, and then the page that makes them valid.
/// </summary>
enum Syncing
{
    /// <summary>Nothing. A loss of power can leave the latter on the disk alone: a file that cannot be read.</summary>
    None,

    /// <summary>The former are on the disk before the latter is written: a loss of power may cost the last commit, never the file.</summary>
    PagesOnly,

    /// <summary>Both are on the disk.</summary>
    Full,
}
