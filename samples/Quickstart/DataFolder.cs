namespace Datacake.Quickstart;

/// <summary>The folder of the nodes' files: a given folder, or a temporary one that is deleted when this object is disposed.</summary>
sealed class DataFolder : IDisposable
{
    readonly bool _isTemporary;

    DataFolder(string path, bool isTemporary)
    {
        Path = path;
        _isTemporary = isTemporary;
    }

    public string Path { get; }

    public static DataFolder Open(string? path) => path is null
        ? new DataFolder(Directory.CreateTempSubdirectory("datacake-quickstart-").FullName, isTemporary: true)
        : new DataFolder(Directory.CreateDirectory(path).FullName, isTemporary: false);

    public void Dispose()
    {
        if (_isTemporary)
            Directory.Delete(Path, recursive: true);
    }
}
