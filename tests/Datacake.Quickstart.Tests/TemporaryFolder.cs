namespace Datacake.Quickstart.Tests;

/// <summary>A folder that is deleted when the test ends.</summary>
sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("datacake-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
