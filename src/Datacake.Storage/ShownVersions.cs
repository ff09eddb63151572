namespace Datacake.Storage;

/// <summary>The versions of a tree that open snapshots show, with the number of snapshots of each. Not thread-safe.</summary>
sealed class ShownVersions
{
    readonly List<(long Version, int Snapshots)> _shown = [];   // Ascending by version.

    /// <summary>Gets the newest version that a snapshot shows, or 0 if there are no snapshots.</summary>
    public long Newest => _shown is [.., var (version, _)] ? version : 0;

    /// <summary>Adds a snapshot of a version. The version must not be older than <see cref="Newest"/>.</summary>
    public void Add(long version)
    {
        if (Newest == version && _shown is [.., var (_, snapshots)])
            _shown[^1] = (version, snapshots + 1);
        else
            _shown.Add((version, 1));
    }

    /// <summary>Removes a snapshot of a version.</summary>
    public void Remove(long version)
    {
        int at = _shown.Count - 1;
        // Most snapshots are short-lived, so their versions are near the end.
        while (_shown[at].Version != version)
            at--;
        int snapshots = _shown[at].Snapshots - 1;
        if (snapshots == 0)
            _shown.RemoveAt(at);
        else
            _shown[at] = (version, snapshots);
    }
}
