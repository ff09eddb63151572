using System.ComponentModel;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Datacake.Tests;

/// <summary>
/// A PostgreSQL server of the tests, with its files in a temporary folder and the durability of a real one. It refuses to run as root, so it then runs as another
/// user. It ends with the process that has started it.
/// </summary>
sealed class PostgreSqlServer : IAsyncDisposable
{
    /// <summary>The password of the user, which must be in no message.</summary>
    public const string Password = "correct-horse-battery";

    const string Superuser = "postgres";

    // A shell that waits for the end of its input, which is also the end of the process that has started it.
    const string Guard = "\"$@\" & server=$!; read -r _; kill -INT $server 2>/dev/null; wait $server";

    static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    readonly string _programs;
    readonly string _folder;
    readonly int _port;
    readonly string[] _settings;
    Process? _guard;

    PostgreSqlServer(string programs, string folder, int port, string[] settings)
    {
        _programs = programs;
        _folder = folder;
        _port = port;
        _settings = settings;
    }

    /// <summary>Gets the connection string of a user without special rights, who owns an empty database.</summary>
    public string ConnectionString => ConnectionStringOf("datacake");

    public int Port => _port;

    public string Address => $"127.0.0.1:{_port}";

    string DataFolder => Path.Combine(_folder, "data");

    /// <summary>Returns the folder of the programs of the newest installed server, or null if there is none.</summary>
    public static string? FindPrograms()
    {
        string[] found = Environment.GetEnvironmentVariable("DATACAKE_POSTGRESQL") is { } named ? [named]
            : Directory.Exists("/usr/lib/postgresql") ? [.. Directory.GetDirectories("/usr/lib/postgresql").OrderBy(VersionOf).Select(folder => Path.Combine(folder, "bin"))]
            : [];
        return found.LastOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")));

        static int VersionOf(string folder) => int.TryParse(Path.GetFileName(folder), out int version) ? version : 0;
    }

    /// <summary>Creates and starts a server with settings such as <c>wal_writer_delay=10s</c>.</summary>
    /// <exception cref="InvalidOperationException">No server is installed, or it does not start.</exception>
    public static async Task<PostgreSqlServer> StartAsync(params string[] settings)
    {
        string programs = FindPrograms()
            ?? throw new InvalidOperationException("PostgreSQL is not installed. Install it (Debian: postgresql), or name the folder of its programs in DATACAKE_POSTGRESQL.");
        string folder = Path.Combine(Path.GetTempPath(), $"datacake-postgresql-{Guid.NewGuid():N}");
        await RunAsync("install", Environment.IsPrivilegedProcess ? ["-d", "-m", "755", "-o", Superuser, folder] : ["-d", "-m", "755", folder]);
        var server = new PostgreSqlServer(programs, folder, FreePort(), settings);
        string password = Path.Combine(folder, "password");
        await File.WriteAllTextAsync(password, Password);
        await RunAsync(
            AsUser(Path.Combine(programs, "initdb"), "--pgdata", server.DataFolder, "--username", Superuser, "--pwfile", password, "--auth", "password", "--encoding", "UTF8", "--locale", "C", "--no-sync"));
        await server.ResumeAsync();
        await server.QueryAsync("postgres", $"CREATE ROLE datacake LOGIN PASSWORD '{Password}'");
        await server.CreateDatabaseAsync("datacake");
        return server;
    }

    /// <summary>Creates an empty database.</summary>
    public Task CreateDatabaseAsync(string name) => QueryAsync("postgres", $"CREATE DATABASE {name} OWNER datacake");

    /// <summary>Returns the connection string of a user without special rights, who owns a database.</summary>
    public string ConnectionStringOf(string database) => $"Host=127.0.0.1;Port={_port};Database={database};Username=datacake;Password={Password}";

    /// <summary>Starts the server again, on the same port.</summary>
    public async Task ResumeAsync()
    {
        string[] command = AsUser([
            Path.Combine(_programs, "postgres"), "-D", DataFolder, "-c", $"port={_port}", "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=300",
            "-c", "shared_buffers=64MB", "-c", "logging_collector=on", "-c", "log_directory=log", .. _settings.SelectMany(setting => (string[])["-c", setting])]);
        var start = new ProcessStartInfo("sh", ["-c", Guard, "sh", .. command]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        _guard = Process.Start(start)!;
        _guard.OutputDataReceived += static (_, _) => { };
        _guard.ErrorDataReceived += static (_, _) => { };
        _guard.BeginOutputReadLine();
        _guard.BeginErrorReadLine();
        long begin = Stopwatch.GetTimestamp();
        while (await TryRunAsync(Path.Combine(_programs, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", $"{_port}") != 0)
        {
            if (Stopwatch.GetElapsedTime(begin) > Deadline)
                throw new InvalidOperationException($"The PostgreSQL server in '{_folder}' did not start.");
            await Task.Delay(20);
        }
    }

    /// <summary>Stops the server in order: its sessions are ended, and everything is on the disk.</summary>
    public Task StopAsync() => StopAsync("INT");

    /// <summary>Ends the server as a crash does: what is not on the disk yet is lost from its memory.</summary>
    public Task CrashAsync() => StopAsync("QUIT");

    /// <summary>Runs SQL as the superuser in the database of the tests.</summary>
    public Task<string> QueryAsync(string sql) => QueryAsync("datacake", sql);

    /// <summary>Copies a schema into another database of the server, as a backup of the database that is restored there.</summary>
    public async Task CopyAsync(string schema, string database)
    {
        string dump = Path.Combine(_folder, "dump.sql");
        await RunAsync("env", $"PGPASSWORD={Password}", Path.Combine(_programs, "pg_dump"), "-h", "127.0.0.1", "-p", $"{_port}", "-U", Superuser, "-d", "datacake", "-n", $"\"{schema}\"", "-f", dump);
        await QueryAsync("postgres", $"CREATE DATABASE {database} OWNER datacake");
        await RunAsync("env", $"PGPASSWORD={Password}", Path.Combine(_programs, "psql"), "-h", "127.0.0.1", "-p", $"{_port}", "-U", Superuser, "-d", database, "-q", "-v", "ON_ERROR_STOP=1", "-f", dump);
    }

    /// <summary>Stops the server and starts it as a standby that takes over, so that its log begins a new timeline.</summary>
    public async Task FailOverAsync()
    {
        await StopAsync();
        string signal = Path.Combine(DataFolder, "standby.signal");
        await File.WriteAllTextAsync(signal, "");
        await OwnAsync(signal);
        await ResumeAsync();
        await QueryAsync("SELECT pg_promote()");
    }

    /// <summary>Makes the user of the server the owner of a file or folder.</summary>
    public static Task OwnAsync(string path) => Environment.IsPrivilegedProcess ? RunAsync("chown", Superuser, path) : Task.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_guard is not null)
            await StopAsync("QUIT");
        Directory.Delete(_folder, recursive: true);
    }

    async Task StopAsync(string signal)
    {
        // The first line of the file is the id of the server's first process.
        string id = (await File.ReadAllLinesAsync(Path.Combine(DataFolder, "postmaster.pid")))[0];
        await RunAsync("kill", $"-{signal}", id);
        _guard!.StandardInput.Close();
        using var deadline = new CancellationTokenSource(Deadline);
        await _guard.WaitForExitAsync(deadline.Token);
        _guard.Dispose();
        _guard = null;
        // The processes that a crash leaves behind hold the port and the files for a moment.
        while (Directory.Exists($"/proc/{id}"))
            await Task.Delay(5, deadline.Token);
    }

    Task<string> QueryAsync(string database, string sql) => RunAsync(
        "env", $"PGPASSWORD={Password}", Path.Combine(_programs, "psql"), "-h", "127.0.0.1", "-p", $"{_port}", "-U", Superuser, "-d", database, "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", sql);

    static string[] AsUser(params string[] command) =>
        Environment.IsPrivilegedProcess ? ["setpriv", $"--reuid={Superuser}", $"--regid={Superuser}", "--clear-groups", "--", .. command] : command;

    static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    static Task<string> RunAsync(string[] command) => RunAsync(command[0], command[1..]);

    static async Task<string> RunAsync(string program, params string[] arguments)
    {
        using Process process = Start(program, arguments);
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? output.Trim() : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed: {await errors}");
    }

    static async Task<int> TryRunAsync(string program, params string[] arguments)
    {
        using Process process = Start(program, arguments);
        await process.WaitForExitAsync();
        return process.ExitCode;
    }

    static Process Start(string program, string[] arguments)
    {
        try
        {
            // The user of the server may not read the current folder.
            var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new InvalidOperationException($"The program '{program}' is missing: {e.Message}", e);
        }
    }
}
