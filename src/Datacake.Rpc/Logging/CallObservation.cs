using System.Diagnostics;

namespace Datacake.Rpc.Logging;

/// <summary>The span and the measurements of one call, from its beginning to its end.</summary>
sealed class CallObservation
{
    const string TraceParent = "traceparent";       // W3C Trace Context
    const string TraceState = "tracestate";
    const int MaxTraceStateLength = 512;

    readonly string _side;
    readonly string _service;
    readonly string _message;
    readonly TimeProvider _timeProvider;
    readonly long _start;
    readonly Activity? _span;

    CallObservation(string side, string service, string message, string address, TimeProvider timeProvider, Activity? span)
    {
        (_side, _service, _message, _timeProvider, _span) = (side, service, message, timeProvider, span);
        _start = timeProvider.GetTimestamp();
        if (span is null)
            return;
        span.SetTag("rpc.system", "datacake");
        span.SetTag("rpc.service", service);
        span.SetTag("rpc.method", message);
        span.SetTag("server.address", address);
    }

    /// <summary>
    /// Begins to observe a call on the calling side. Its span becomes the current one; in an async method, until that method returns.
    /// </summary>
    public static CallObservation OfClient(string service, string message, string address, TimeProvider timeProvider)
    {
        var span = Telemetry.Source.HasListeners()
            ? Telemetry.StartSpan(service, message, ActivityKind.Client)
            : null;
        return new CallObservation(Telemetry.ClientSide, service, message, address, timeProvider, span);
    }

    /// <summary>Begins to observe a call on the answering side. Its span continues the trace in the headers.</summary>
    public static CallObservation OfServer(string service, string message, string address, RpcHeaders headers, TimeProvider timeProvider)
    {
        Activity? span = null;
        if (Telemetry.Source.HasListeners())
        {
            ActivityContext.TryParse(headers[TraceParent], headers[TraceState], isRemote: true, out var parent);
            span = Telemetry.StartSpan(service, message, ActivityKind.Server, parent);
        }

        return new CallObservation(Telemetry.ServerSide, service, message, address, timeProvider, span);
    }

    /// <summary>Returns the headers with the current trace added, whether that comes from this library or from the application.</summary>
    public static RpcHeaders? WithTrace(RpcHeaders? headers)
    {
        if (Activity.Current is not { IdFormat: ActivityIdFormat.W3C, Id: { } id } current)
            return headers;
        headers = (headers ?? RpcHeaders.Empty).With(TraceParent, id);
        return current.TraceStateString is { Length: > 0 and <= MaxTraceStateLength } state ? headers.With(TraceState, state) : headers;
    }

    public void End(RpcStatus? failure)
    {
        Telemetry.CallEnded(_side, _service, _message, failure, _timeProvider.GetElapsedTime(_start));
        if (_span is null)
            return;
        if (failure is { } status)
        {
            _span.SetTag("error.type", status.ToString());
            _span.SetStatus(ActivityStatusCode.Error);
        }

        Telemetry.EndSpan(_span);
    }

    public void End(Exception error) => End(error switch
    {
        RpcException rpc => rpc.Status,
        OperationCanceledException or ObjectDisposedException => RpcStatus.Canceled,
        _ => RpcStatus.Internal,
    });
}
