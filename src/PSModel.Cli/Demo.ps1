<#
.SYNOPSIS
Shows the module at work: saves a model, tests it, damages it, diagnoses and mends it.
.PARAMETER Module
The module's manifest.
.PARAMETER Name
A model of 256 MiB on a registry.
.PARAMETER Digest
Its large blob.
.PARAMETER StorePath
A folder that does not exist.
#>
param(
    [Parameter(Mandatory)] [string] $Module,
    [Parameter(Mandatory)] [string] $Name,
    [Parameter(Mandatory)] [string] $Digest,
    [Parameter(Mandatory)] [string] $StorePath
)

# Into a file or a pipe PowerShell writes colours all the same.
if ([System.Console]::IsOutputRedirected) {
    $PSStyle.OutputRendering = 'PlainText'
}

Import-Module $Module -ErrorAction Stop
$Error.Clear()

function Show {
    param([string] $Command)

    "`nPS> $Command"
    & ([scriptblock]::Create($Command)) | Out-Default
}

@"

A registry runs on this machine and offers a generated model of 256 MiB.
The download is held to 80 MB/s, so that there is a progress bar to see.
"@
Show "Get-ModelManifest $Name"
Show "(Get-ModelManifest $Name).Layers"
Show "Save-ModelBlob $Name '$StorePath' -VerifyInline -BandwidthLimit 80MB"
Show "Get-ModelManifest -Local -StorePath '$StorePath'"
Show "Get-ModelManifest -Local -StorePath '$StorePath' | Test-ModelBlob -StorePath '$StorePath'"

# Pages of operating systems begin at multiples of 4 KiB.
$page = 100MB + 5 * 4KB
$bit = 200MB + 1234
@"
The blobs were verified as they arrived: no byte of them was read back to save them.

Now the file is damaged on the disk: a page of zeros at $page, and one bit at $bit.
"@
$file = [System.IO.File]::Open((Join-Path $StorePath 'blobs' $Digest.Replace(':', '-')), 'Open', 'ReadWrite')
$file.Position = $page
$file.Write([byte[]]::new(4KB))
$file.Position = $bit
$old = $file.ReadByte()
$file.Position = $bit
$file.WriteByte($old -bxor 1)
$file.Dispose()

Show "Test-ModelBlob $Name '$StorePath' -Digest $Digest -Diagnose"
Show "Save-ModelBlob $Name '$StorePath' -Digest $Digest -Repair | ForEach-Object { `"`$(`$_.Status): `$(`$_.BytesReceived) of `$(`$_.Size) bytes were fetched`" }"
Show "(Test-ModelBlob $Name '$StorePath' -Digest $Digest -Diagnose).Verdict"
@"

The store is at $StorePath
  blobs      $(Join-Path $StorePath 'blobs')
  manifests  $(Join-Path $StorePath 'manifests')
Ollama lists the model when OLLAMA_MODELS points there. Remove the folder when you have seen enough.
"@
exit [int] ($Error.Count -gt 0)
