using System.Runtime.InteropServices;

namespace Datacake.Sqlite;

/// <summary>The handle of a connection. Closing it also closes all of its statements, even if the connection was never disposed.</summary>
sealed class ConnectionHandle : SafeHandle
{
    public ConnectionHandle(nint connection)
        : base(invalidHandleValue: 0, ownsHandle: true) => SetHandle(connection);

    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle()
    {
        while (Native.NextStatement(handle, previous: default) is { Handle: not 0 } statement)
            _ = Native.Finalize(statement);
        return Native.Close(handle) == 0;
    }
}
