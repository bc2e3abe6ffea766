BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'LoopbackRegistry.psm1') -Force
    Import-Module (Get-StagedModulePath)
    $registry = Start-LoopbackRegistry -SizeMiB 4
    $manifest = Get-ModelManifest $registry.Name
    $order = @($manifest.Layers.Digest) + $manifest.Config.Digest
}

AfterAll {
    Stop-LoopbackRegistry $registry
}

Describe 'Test-ModelBlob' {
    BeforeEach {
        $store = Join-Path $TestDrive ([guid]::NewGuid().ToString('N'))

        # Results come as blobs are done; here they are wanted in the manifest's order.
        $saved = Save-ModelBlob $registry.Name $store -VerifyInline | Sort-Object { [array]::IndexOf($order, $_.Digest) }
    }

    It 'finds a right model valid' {
        $tested = Test-ModelBlob $registry.Name $store
        $tested.Status | Should -Be (@('Valid') * 5)
        $tested.Verification | Should -Be (@('ReadBack') * 5)
        $tested.Digest | Should -Be $saved.Digest
    }

    It 'finds a changed byte' {
        $bytes = [System.IO.File]::ReadAllBytes($saved[0].Path)
        $bytes[1000] = $bytes[1000] -bxor 1
        [System.IO.File]::WriteAllBytes($saved[0].Path, $bytes)

        $tested = Test-ModelBlob $registry.Name $store
        $tested[0].Status | Should -Be 'DigestMismatch'
        $tested[0].Verified | Should -BeFalse
        $tested[0].ActualDigest | Should -Not -Be $tested[0].Digest
        $tested[1].Status | Should -Be 'Valid'
    }

    It 'finds a missing blob and one of the wrong size, without an error' {
        Remove-Item -LiteralPath $saved[0].Path
        Set-Content -LiteralPath $saved[1].Path -Value 'something else' -NoNewline
        $tested = Test-ModelBlob $registry.Name $store -ErrorVariable problem
        $tested[0].Status | Should -Be 'Missing'
        $tested[1].Status | Should -Be 'SizeMismatch'
        $problem | Should -BeNullOrEmpty
    }

    It 'takes what Save-ModelBlob returned' {
        ($saved | Test-ModelBlob).Status | Should -Be (@('Valid') * 5)
    }

    It 'takes what Get-ModelManifest returned' {
        (Get-ModelManifest -Local -StorePath $store | Test-ModelBlob -StorePath $store).Status | Should -Be (@('Valid') * 5)
    }

    It 'takes paths, with wildcards' {
        (Test-ModelBlob -Path (Join-Path $store 'blobs/sha256-*')).Status | Should -Be (@('Valid') * 5)
    }

    It 'takes a file of any name with a digest' {
        $copy = Join-Path $store 'weights.gguf'
        Copy-Item -LiteralPath $saved[0].Path -Destination $copy
        (Test-ModelBlob -LiteralPath $copy -Digest $saved[0].Digest).Status | Should -Be 'Valid'
        (Test-ModelBlob -LiteralPath $copy -Digest $saved[1].Digest).Status | Should -Be 'DigestMismatch'
        { Test-ModelBlob -LiteralPath $copy -ErrorAction Stop } | Should -Throw -ErrorId 'InvalidDigest,*'
    }

    It 'gives one boolean an input with -Quiet' {
        Test-ModelBlob $registry.Name $store -Quiet | Should -BeTrue
        Test-ModelBlob $registry.Name, 'none' $store -Quiet | Should -Be @($true, $false)
        Remove-Item -LiteralPath $saved[2].Path
        Test-ModelBlob $registry.Name $store -Quiet | Should -BeFalse
    }

    It 'stops for Select-Object -First' {
        Test-ModelBlob $registry.Name $store -ThrottleLimit 1 | Select-Object -First 1 | Should -HaveCount 1
        Test-ModelBlob $registry.Name $store -Diagnose | Select-Object -First 1 | Should -HaveCount 1
    }

    It 'gives objects that CSV and JSON keep' {
        $tested = Test-ModelBlob $registry.Name $store
        $file = Join-Path $TestDrive 'tested.csv'
        $tested | Export-Csv $file -NoTypeInformation
        $rows = Import-Csv $file
        $rows.Digest | Should -Be $tested.Digest
        $rows.Size | Should -Be $tested.Size
        $rows.Elapsed | ForEach-Object { [timespan] $_ } | Should -Be $tested.Elapsed
        ($rows | Test-ModelBlob).Status | Should -Be (@('Valid') * 5)
        (ConvertTo-Json $tested | ConvertFrom-Json).Digest | Should -Be $tested.Digest
    }

    It 'gives a diagnosis that JSON keeps with its reads and damaged ranges' {
        $bytes = [System.IO.File]::ReadAllBytes($saved[0].Path)
        $bytes[1000] = $bytes[1000] -bxor 1
        [System.IO.File]::WriteAllBytes($saved[0].Path, $bytes)

        $diagnosis = Test-ModelBlob -LiteralPath $saved[0].Path -Diagnose
        $read = $diagnosis | ConvertTo-Json -Depth 3 | ConvertFrom-Json
        $read.Verdict | Should -Be 'DamagedOnDisk'
        $read.DamagedRanges | Should -HaveCount 1
        $read.DamagedRanges[0].Pattern | Should -Be $diagnosis.DamagedRanges[0].Pattern
        $read.DamagedRanges[0].Length | Should -Be $diagnosis.DamagedRanges[0].Length
        $read.Reads.Digest | Should -Be $diagnosis.Reads.Digest
    }

    It 'gives a diagnosis that remoting keeps with its reads' {
        $modulePath = Get-StagedModulePath
        $path = $saved[0].Path
        $job = Start-Job {
            Import-Module $using:modulePath
            Test-ModelBlob -LiteralPath $using:path -Diagnose
        }
        $diagnosis = $job | Receive-Job -Wait -AutoRemoveJob -ErrorAction Stop
        $diagnosis.Verdict | Should -Be 'Healthy'
        $diagnosis.Reads.Count | Should -BeGreaterThan 1
        $diagnosis.Reads[0].Digest | Should -Be $saved[0].Digest
        $diagnosis.Reads[0].Matches | Should -BeTrue
    }

    It 'reads in mode <_>' -ForEach 'Buffered', 'MemoryMapped' {
        (Test-ModelBlob $registry.Name $store -ReadMode $_).Status | Should -Be (@('Valid') * 5)
    }

    It 'reads past the cache, or says that the file system refuses it' {
        $tested = Test-ModelBlob $registry.Name $store -ReadMode Unbuffered -ErrorVariable problem -ErrorAction SilentlyContinue
        if ($problem) {
            $problem[0].FullyQualifiedErrorId | Should -BeLike 'ReadModeNotSupported,*'
        } else {
            $tested.Status | Should -Be (@('Valid') * 5)
        }
    }

    It 'finds a right model healthy, blob by blob' {
        $diagnosis = Test-ModelBlob $registry.Name $store -Diagnose
        $diagnosis.Count | Should -Be 5
        $diagnosis[0] | Should -BeOfType ([PSModel.ModelBlobDiagnosis])
        $diagnosis.Verdict | Should -Be (@('Healthy') * 5)
        $diagnosis.HasBlockMap | Should -Be ($saved.Size | ForEach-Object { $_ -gt 1MB })
        $diagnosis[0].DamagedRanges | Should -BeNullOrEmpty
        $diagnosis[0].PSPath | Should -Be $saved[0].Path
        Test-ModelBlob $registry.Name $store -Diagnose -Quiet | Should -BeTrue
    }

    It 'says that the disk is damaged, and where' {
        $bytes = [System.IO.File]::ReadAllBytes($saved[0].Path)
        [System.Array]::Clear($bytes, 1MB + 8KB, 4KB)
        [System.IO.File]::WriteAllBytes($saved[0].Path, $bytes)

        $diagnosis = Test-ModelBlob $registry.Name $store -Digest $saved[0].Digest -Diagnose
        $diagnosis.Verdict | Should -Be 'DamagedOnDisk'
        $diagnosis.DamagedRanges.Count | Should -Be 1
        $diagnosis.DamagedRanges[0].Pattern | Should -Be 'ZeroedPages'
        $diagnosis.DamagedRanges[0].Offset | Should -Be (1MB + 8KB)
        $diagnosis.DamagedRanges[0].Length | Should -Be 4KB
        $diagnosis.Reads.Matches | Should -Not -Contain $true
        $diagnosis.Explanation | Should -Not -BeNullOrEmpty
        $diagnosis.Recommendation | Should -Match '-Repair'
    }

    It 'says that a file ends early' {
        $file = [System.IO.File]::OpenWrite($saved[0].Path)
        $file.SetLength(1MB)
        $file.Dispose()
        (Test-ModelBlob $registry.Name $store -Digest $saved[0].Digest -Diagnose).Verdict | Should -Be 'Truncated'
    }

    It 'says that a model is not in the store' {
        Test-ModelBlob none $store -ErrorVariable problem -ErrorAction SilentlyContinue | Should -BeNullOrEmpty
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'ManifestNotFound,*'
        $problem[0].CategoryInfo.Category | Should -Be 'ObjectNotFound'
        $problem[0].TargetObject | Should -Be 'none'
    }

    Context 'completion' {
        BeforeAll {
            function Complete([string] $Line) {
                [System.Management.Automation.CommandCompletion]::CompleteInput($Line, $Line.Length, $null).CompletionMatches
            }
        }

        It 'completes names and digests from the store' {
            (Complete "Test-ModelBlob -StorePath '$store' -Name $($registry.Address.Authority)/lib").CompletionText | Should -Be $saved[0].Name
            (Complete "Test-ModelBlob $($saved[0].Name) '$store' -Digest ").CompletionText | Should -Be $saved.Digest
            (Complete "Test-ModelBlob $($saved[0].Name) '$store' -Digest $($saved[0].Digest.Substring(7, 12))").CompletionText | Should -Be $saved[0].Digest
        }

        It 'completes the store with folders' {
            (Complete "Test-ModelBlob -StorePath '$store/m").CompletionText | Should -Be "'$(Join-Path $store 'manifests')'"
        }
    }
}
