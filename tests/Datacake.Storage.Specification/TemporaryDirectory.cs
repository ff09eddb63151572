namespace Datacake.Storage.Specification;

/// <summary>A directory of a test's own, removed with all that is in it when the test is over.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("datacake-");

    /// <summary>The full path of a name in the directory.</summary>
    public string this[string name] => Path.Combine(_directory.FullName, name);

    /// <inheritdoc/>
    public void Dispose() => _directory.Delete(recursive: true);
}
