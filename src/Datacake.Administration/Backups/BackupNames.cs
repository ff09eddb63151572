using System.Globalization;

namespace Datacake.Administration.Backups;

/// <summary>
/// The names of the backups of one store: <c>20261201T023000.000Z_node1_shop_1f2e3d4c5b6a7988.backup</c>. They sort by time, and name the node and the cluster, the latter
/// also by its random identity: two clusters of the same name may share a folder. Those of a named store have its name behind the node, <c>_node1-catalog_</c>, so that <c>*_node1_*</c> finds those of
/// the node's own store alone.
/// </summary>
sealed class BackupNames(int nodeId, string clusterName, string clusterIdentity, string store = "")
{
    const string TimeFormat = "yyyyMMdd'T'HHmmss.fff'Z'";
    const string Extension = ".backup";

    /// <summary>The end of the name of a file that is not verified yet.</summary>
    const string UnverifiedExtension = ".unverified";

    const int MaxNameLength = 60;

    readonly string _origin = $"_node{nodeId}{(store.Length > 0 ? $"-{Cleaned(store)}" : "")}_{Cleaned(clusterName)}_{clusterIdentity}{Extension}";

    /// <summary>Returns the path of the backup of a time.</summary>
    public string PathOf(string folder, DateTimeOffset time) => Path.Combine(folder, time.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture) + _origin);

    /// <summary>Returns the path of a backup until it is verified.</summary>
    public static string UnverifiedPathOf(string path) => path + UnverifiedExtension;

    /// <summary>Returns the backups of this store in a folder, the oldest first. Files with other names are left out.</summary>
    public IReadOnlyList<BackupFile> List(string folder)
    {
        var files = new List<BackupFile>();
        foreach (string path in Directory.EnumerateFiles(folder, "*" + _origin))
        {
            string name = Path.GetFileName(path);
            if (name.EndsWith(_origin, StringComparison.Ordinal) && DateTimeOffset.TryParseExact(
                name[..^_origin.Length], TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
                files.Add(new BackupFile(path, time));
        }
        files.Sort(static (left, right) => left.Time.CompareTo(right.Time));
        return files;
    }

    /// <summary>Deletes what an attempt of an earlier process has left.</summary>
    public void DeleteUnverified(string folder)
    {
        foreach (string path in Directory.EnumerateFiles(folder, $"*{_origin}{UnverifiedExtension}*"))
            File.Delete(path);
    }

    static string Cleaned(string name) => string.Concat(name.Take(MaxNameLength).Select(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' ? c : '-'));
}
