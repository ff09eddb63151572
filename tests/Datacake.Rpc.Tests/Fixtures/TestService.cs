namespace Datacake.Rpc.Tests.Fixtures;

/// <summary>A service whose handlers are registered by a test.</summary>
sealed class TestService(string name, Action<RpcHandlers> register) : RpcService
{
    public override string Name => name;

    /// <summary>Gets a service that answers every call with the call's own payload.</summary>
    public static TestService Echo { get; } = new(
        "echo",
        handlers =>
        {
            handlers.HandleBytes("echo", (request, _) => ValueTask.FromResult(request.Payload));
            handlers.HandleStream(
                "echo-stream",
                async (stream, cancellationToken) =>
                {
                    while (await stream.ReadAsync(cancellationToken) is { } message)
                    {
                        using (message)
                            await stream.WriteAsync(message.Memory, cancellationToken);
                    }
                });
        });

    protected internal override void Register(RpcHandlers handlers) => register(handlers);
}
