namespace Datacake.Storage.Specification;

/// <summary>A directory for one test, which is removed with its contents when the test is over.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("datacake-");

    /// <summary>Gets the full path of a name in the directory.</summary>
    public string this[string name] => Path.Combine(_directory.FullName, name);

    /// <inheritdoc/>
    public void Dispose() => _directory.Delete(recursive: true);
}
