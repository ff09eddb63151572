namespace Datacake.Storage;

/// <summary>Which versions of a tree are shown by open snapshots, and by how many. Not thread-safe.</summary>
sealed class ShownVersions
{
    readonly List<(long Version, int Snapshots)> _shown = [];   // ascending

    /// <summary>The newest version that a snapshot shows; 0 if there is no snapshot.</summary>
    public long Newest => _shown is [.., var (version, _)] ? version : 0;

    /// <summary>A snapshot shows a version, which is not older than <see cref="Newest"/>.</summary>
    public void Add(long version)
    {
        if (Newest == version && _shown is [.., var (_, snapshots)])
            _shown[^1] = (version, snapshots + 1);
        else
            _shown.Add((version, 1));
    }

    /// <summary>A snapshot shows a version no longer.</summary>
    public void Remove(long version)
    {
        int at = _shown.Count - 1;
        // Most snapshots are short, and so among the last.
        while (_shown[at].Version != version)
            at--;
        int snapshots = _shown[at].Snapshots - 1;
        if (snapshots == 0)
            _shown.RemoveAt(at);
        else
            _shown[at] = (version, snapshots);
    }
}
