using Datacake.Storage;
using Datacake.Storage.Specification;

namespace Datacake.PostgreSql.Tests;

public sealed class PostgreSqlStorageTests : DurableStorageSpecification
{
    protected override bool IsFile => false;

    protected override IDurableStorage Open(string path) =>
        Path.GetFileName(Path.GetDirectoryName(path)) == "disk" ? TestServer.OpenOnDisk(path) : TestServer.Open(path);

    protected override ValueTask<IStorage> OpenBackupAsync(string path) => PostgreSqlStorage.OpenBackupAsync(path);

    protected override ValueTask RestoreAsync(string backup, string path) =>
        PostgreSqlStorage.RestoreAsync(backup, TestServer.ConnectionString, options => options.Schema = path);
}
